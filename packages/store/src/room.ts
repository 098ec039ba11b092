/**
 * Asked before anything is added to the store, so that what is too much goes first. Where nobody has set a limit there
 * is always room.
 */
export class Room {
  #make: (bytes: number) => Promise<void> = () => Promise.resolve();

  /** Says what makes room; it is told how much is about to be added. */
  limitBy(make: (bytes: number) => Promise<void>): void {
    this.#make = make;
  }

  /** Waits until there is room for so many bytes, or none can be made. */
  for(bytes: number): Promise<void> {
    return this.#make(bytes);
  }
}
