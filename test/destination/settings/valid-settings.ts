import { canarySecret } from '../../support/canary.ts'

/** Settings with which nothing is wrong, one of each mechanism but that with a certificate. */
export const plain = {
  clientId: 'a-client',
  brokers: 'kafka.test:9092',
  mechanism: 'plain',
  username: 'ann',
  password: canarySecret('password of a destination'),
}

export const aws = {
  clientId: 'a-client',
  brokers: 'b-1.demo.abc123.c2.kafka.eu-west-1.amazonaws.com:9098',
  mechanism: 'aws',
  accessKeyId: 'AKIAEXAMPLE',
  secretAccessKey: canarySecret('secret access key of a destination'),
}

/** Without some of their members. */
export function without<T extends object>(settings: T, ...keys: (keyof T)[]): Partial<T> {
  const entries = Object.entries(settings).filter(([key]) => !keys.includes(key as keyof T))
  return Object.fromEntries(entries) as Partial<T>
}
