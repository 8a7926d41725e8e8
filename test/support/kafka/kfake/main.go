// franz-go's in-process Kafka cluster behind the line protocol of ../line-process.ts. The end of stdin ends it.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kfake"
)

type request struct {
	ID         int64  `json:"id"`
	Op         string `json:"op"`
	Topic      string `json:"topic"`
	Partitions int32  `json:"partitions"`
}

type answer struct {
	ID     int64  `json:"id"`
	Result any    `json:"result"`
	Error  string `json:"error,omitempty"`
}

func main() {
	nodes, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(nodes))
	if err != nil {
		panic(err)
	}
	out := json.NewEncoder(os.Stdout)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var asked request
		if err := json.Unmarshal(in.Bytes(), &asked); err != nil {
			panic(err)
		}
		reply := answer{ID: asked.ID}
		switch asked.Op {
		case "bootstrap":
			reply.Result = strings.Join(cluster.ListenAddrs(), ",")
		case "createTopic":
			if err := cluster.CreateTopic(asked.Topic, asked.Partitions, nil); err != nil {
				reply.Error = err.Error()
			}
		default:
			reply.Error = "no operation " + asked.Op
		}
		if err := out.Encode(reply); err != nil {
			panic(err)
		}
	}
}
