// How fast it is, as a line below the picture, and on the element for whoever measures it.

import { Meter } from "./meter.js"
import { made } from "./panel.js"

const EVERY_MS = 500

export class Figures {
  constructor(root, line) {
    this.root = root
    this.line = line
    this.shown = 0
    this.reset()
  }

  reset() {
    this.box = new Meter() // from a frame's arrival to its boxes on the screen
    this.find = new Meter()
    this.read = new Meter()
    this.line.textContent = ""
  }

  /** Write the line anew, where the last one is old enough; says whether it did. */
  update(now) {
    if (now - this.shown < EVERY_MS) return false
    this.shown = now
    const { box, find, read } = this
    Object.assign(this.root.dataset, { rate: box.rate.toFixed(1), latency: box.median.toFixed(1) })
    Object.assign(this.root.dataset, { find: find.median.toFixed(1), read: read.median.toFixed(1) })
    const figures = [
      [`${Math.round(box.rate)}`, "frames/s"],
      [milliseconds(box), "from frame to box"],
      [milliseconds(find), "finding faces"],
      [milliseconds(read), "reading them"],
    ]
    this.line.replaceChildren(...figures.map(([value, name]) => {
      const figure = made("span", "figure", ` ${name}`)
      figure.prepend(made("b", "", value))
      return figure
    }))
    return true
  }
}

function milliseconds(meter) {
  return meter.entries.length ? `${Math.max(1, Math.round(meter.median))} ms` : "–"
}
