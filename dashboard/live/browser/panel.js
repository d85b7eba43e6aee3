// What the runs read in the chosen face: bars, and the last half minute.

import { drawTimeline } from "./chart.js"

const UNSURE = 0.5 // below this no emotion has the majority

/** `62 %`, and the emotion that has it. */
export function best(emotions, values) {
  const place = values.indexOf(Math.max(...values))
  return { emotion: emotions[place], share: values[place], isUnsure: values[place] < UNSURE }
}

export function percent(share) {
  return `${Math.round(100 * share)} %`
}

/** What `best` found, in words: `happy 62 %`, or `unsure · happy 42 %`. */
export function verdict({ emotion, share, isUnsure }) {
  return `${isUnsure ? "unsure · " : ""}${emotion} ${percent(share)}`
}

/** The bars and the chart of every run, side by side; made anew for other runs. */
export class Panel {
  constructor(root, { runs, colors }) {
    this.root = root
    this.colors = colors
    this.cleared = ""
    this.columns = runs.map((run) => this.column(run))
    root.replaceChildren(...this.columns.map((column) => column.element))
  }

  column(run) {
    const heading = made("h4", "run-name", run.letter ? `${run.letter} · ${run.label}` : run.label)
    const verdict = made("p", "verdict", "No face yet")
    const bars = run.emotions.map((emotion) => this.bar(emotion))
    const list = made("dl", "bars")
    list.append(...bars.flatMap((bar) => [bar.name, bar.value]))
    const chart = made("canvas", "timeline")
    chart.setAttribute("role", "img")
    chart.setAttribute("aria-label", `Probabilities over the last half minute by ${run.label}`)
    const element = made("section", "run")
    element.append(heading, verdict, list, made("p", "chart-title", "Probability over the last 30 seconds"), chart)
    return { run, element, verdict, bars, chart }
  }

  bar(emotion) {
    const name = made("dt", "", emotion), value = made("dd", "")
    const fill = made("span", "fill"), track = made("span", "track"), text = made("span", "share", "–")
    fill.style.background = this.colors[emotion]
    track.append(fill)
    value.append(track, text)
    return { name, value, fill, text }
  }

  /** Say that no face is there. */
  clear(text) {
    if (text === this.cleared) return
    this.cleared = text
    for (const { verdict, bars } of this.columns) {
      verdict.textContent = text
      verdict.style.removeProperty("--emotion")
      for (const bar of bars) {
        bar.fill.style.transform = "scaleX(0)"
        bar.text.textContent = "–"
      }
    }
  }

  /** Draw what was read in `face` until `now`: its last probabilities, and the last half minute out of `history`. */
  draw(history, face, now) {
    this.cleared = ""
    const look = getComputedStyle(this.root)
    const style = { ink: look.color, grid: look.getPropertyValue("--line").trim() || "#8884", font: look.fontFamily }
    for (const column of this.columns) {
      const { run, chart } = column, entries = history.of(face, run.id)
      if (entries.length) this.show(column, entries.at(-1).values)
      drawTimeline(chart, entries, { emotions: run.emotions, colors: this.colors, now, style })
    }
  }

  show({ run, bars, verdict: told }, values) {
    bars.forEach(({ fill, text }, place) => {
      fill.style.transform = `scaleX(${values[place].toFixed(3)})`
      text.textContent = percent(values[place])
    })
    const found = best(run.emotions, values)
    told.textContent = verdict(found)
    told.style.setProperty("--emotion", this.colors[found.emotion])
  }
}

export function made(tag, className, text = "") {
  const element = Object.assign(document.createElement(tag), { className, textContent: text })
  return element
}
