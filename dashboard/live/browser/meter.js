// How fast it is: frames per second and milliseconds, over the last seconds.

const WINDOW_MS = 3000

/** Times of one thing over the last seconds. */
export class Meter {
  constructor() {
    this.entries = []
  }

  /** Note that something took `milliseconds` and ended at `now`. */
  add(milliseconds, now) {
    this.entries.push({ milliseconds, now })
    while (this.entries[0].now < now - WINDOW_MS) this.entries.shift()
  }

  /** How often a second. */
  get rate() {
    const { entries } = this
    if (entries.length < 2) return 0
    return (1000 * (entries.length - 1)) / (entries.at(-1).now - entries[0].now)
  }

  /** The median in milliseconds; 0 before the first. */
  get median() {
    const sorted = this.entries.map((entry) => entry.milliseconds).sort((first, second) => first - second)
    return sorted.length ? sorted[sorted.length >> 1] : 0
  }
}
