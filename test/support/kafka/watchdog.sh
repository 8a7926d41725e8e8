#!/bin/sh
# Runs one command and sees to it that it does not outlive its owner.
#
#   watchdog.sh TTL_SECONDS DOOMED_FOLDER LOG_FILE COMMAND...
#
# The owner holds our stdin. When that closes without the word "detach", or when TTL_SECONDS (0: none) are over, the
# command gets SIGKILL and DOOMED_FOLDER (empty: none) is removed. The command's process id is our only output.
# SIGKILL and not a word to the JVM: it has to work on a stopped process too.
ttl=$1 doomed=$2 log=$3
shift 3

exec 3<&0
"$@" </dev/null >>"$log" 2>&1 3<&- &
pid=$!
echo "$pid"
exec >/dev/null 2>&1

# Only this shell signals the command: it has not reaped it yet, so that the number cannot be a stranger's.
lost=
trap 'lost=yes; kill -KILL "$pid"' USR1

(
  if read -r word <&3 && [ "$word" = detach ]; then exit 0; fi
  kill -USR1 $$ || kill -KILL "$pid"
) &
owner_watch=$!
exec 3<&-

ttl_watch=
if [ "$ttl" -gt 0 ]; then
  (
    nap=
    trap 'kill $nap; exit 0' TERM
    sleep "$ttl" &
    nap=$!
    wait "$nap"
    kill -USR1 $$ || kill -KILL "$pid"
  ) &
  ttl_watch=$!
fi

wait "$pid"
code=$?
# A trapped signal ends `wait` early; the command is on its way out then.
if [ -n "$lost" ]; then wait "$pid"; fi
kill "$owner_watch" $ttl_watch
wait
if [ -n "$lost" ] && [ -n "$doomed" ]; then rm -rf "$doomed"; fi
exit "$code"
