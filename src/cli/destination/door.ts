import type * as door from '../../destination/destination.ts'

export type DestinationDoor = typeof door

/** Loaded when it is used: the other commands do not pay for it. */
export async function openDoor(): Promise<DestinationDoor> {
  return await import('../../destination/destination.ts')
}
