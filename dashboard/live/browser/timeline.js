// What was read over time: numbers alone, for the chart and for the recording.

const KEPT_MS = 31_000
const MOST_ROWS = 100_000 // half an hour of two runs on one face

/** The smoothed probabilities of the last half minute, by face and run. */
export class History {
  constructor() {
    this.entries = new Map()
  }

  add(face, run, time, values) {
    const key = `${face} ${run}`
    if (!this.entries.has(key)) this.entries.set(key, [])
    this.entries.get(key).push({ time, values })
    for (const [name, entries] of this.entries) {
      while (entries.length && entries[0].time < time - KEPT_MS) entries.shift()
      if (!entries.length) this.entries.delete(name)
    }
  }

  of(face, run) {
    return this.entries.get(`${face} ${run}`) ?? []
  }
}

/** A recording: one row for each face and run of each frame that was read. */
export class Recording {
  constructor(emotions) {
    this.emotions = emotions
    this.rows = []
    this.started = null
  }

  get isFull() {
    return this.rows.length >= MOST_ROWS
  }

  /** Seconds from the first to the last row. */
  get seconds() {
    return this.rows.length ? this.rows.at(-1)[0] : 0
  }

  /** Note what `run` read in a face at `time` (ms): its own probabilities, not smoothed. */
  add(face, run, time, probabilities) {
    if (this.isFull) return
    this.started ??= time
    const values = this.emotions.map((emotion) => {
      const place = run.emotions.indexOf(emotion)
      return place < 0 ? "" : probabilities[place].toFixed(4)
    })
    const best = run.emotions[probabilities.indexOf(Math.max(...probabilities))]
    const { id, x, y, width, height } = face
    this.rows.push([(time - this.started) / 1000, id, x, y, width, height, run.id, best, ...values])
  }

  /** As CSV, with a line of names. */
  toCsv() {
    const names = ["seconds", "face", "x", "y", "width", "height", "run", "emotion", ...this.emotions]
    const lines = this.rows.map(([seconds, ...rest]) => [seconds.toFixed(3), ...rest].map(quoted).join(","))
    return [names.join(","), ...lines].join("\r\n") + "\r\n"
  }
}

function quoted(value) {
  const text = String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
