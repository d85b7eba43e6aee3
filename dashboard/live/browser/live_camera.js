// The live camera: frames go from the video to the workers, and what they find to the overlay and the panel.
// No frame, and nothing made of one, goes anywhere else, unless the page says that the server reads.

import { eachFrame, isAllowed, obstacle, openCamera, sentence } from "./camera.js"
import { Figures } from "./figures.js"
import { Frames } from "./frames.js"
import { drawFaces, picture } from "./overlay.js"
import { Panel, made, verdict } from "./panel.js"
import { Readings } from "./readings.js"
import { Remote } from "./remote.js"
import { Recording } from "./timeline.js"

const PANEL_MS = 100 // between two drawings of the bars and charts: painting takes more than a small network
const STARTING = "Starting the camera …"
const OFF = {
  browser: "The camera is off. Once you have allowed it, it starts with this page.",
  server: "The camera is off until you start it; then its frames go to the server.",
}
const SERVER_HELPS = ["wasm", "worker", "broken"] // problems of this browser that are none for the server

export class LiveCamera {
  /** `askServer` tells the page that its visitor wants the server to read. */
  constructor(root, askServer) {
    this.root = root
    this.video = this.find("video")
    this.overlay = this.find(".overlay")
    this.figures = new Figures(root, this.find(".figures"))
    this.mounted = performance.now()
    this.mirrored = true
    this.chosen = null
    this.forget()
    this.bind(askServer)
    this.setState("idle", OFF.browser)
  }

  find(selector) {
    return this.root.querySelector(selector)
  }

  forget() {
    this.faces = []
    this.readings = new Readings()
  }

  bind(askServer) {
    const actions = {
      start: () => this.start(),
      pause: () => this.setState(this.state === "paused" ? "running" : "paused"),
      mirror: () => this.mirror(!this.mirrored),
      snapshot: () => this.savePicture(),
      record: () => this.record(),
      save: () => save(new Blob([this.recording.toCsv()], { type: "text/csv" }), "live-numbers", "csv"),
      stop: () => this.stop(),
      serve: askServer,
    }
    for (const [name, action] of Object.entries(actions)) this.find(`.${name}`).onclick = action
    this.overlay.onclick = (event) => this.chooseAt(event)
  }

  /** Take the page's choices; the camera goes on where it runs. */
  configure(data) {
    const told = JSON.stringify(data)
    if (told === this.told) return
    this.told = told
    this.data = data
    this.panel = new Panel(this.find(".runs"), data)
    this.forget()
    this.changeWay(data.way)
    const problem = obstacle(data.way)
    if (problem) return this.fail(problem)
    this.frames.load(loaded(data))
    if (data.way === "server" || this.state !== "idle") return
    isAllowed().then((allowed) => allowed && this.state === "idle" && this.start())
  }

  /** Read in this browser, or on the server; a running camera is stopped, so that nobody's frames go there unasked. */
  changeWay(way) {
    if (this.way === way) return
    const wasRecording = this.isRecording
    if (this.way) this.release()
    if (!wasRecording) this.tell("") // what was told is of the way before
    this.frames?.end()
    this.way = way
    const given = { hear: (each) => this.hear(each), isOn: () => this.state === "running" }
    this.frames = obstacle(way) ? null : new (way === "server" ? Remote : Frames)(this.video, given)
    this.setState("idle", OFF[way])
  }

  async start() {
    if (this.state === "starting") return
    const problem = obstacle(this.way)
    if (problem) return this.fail(problem)
    this.setState("starting", STARTING)
    try {
      this.close = await openCamera(this.video, () => this.fail("lost"))
      if (this.state !== "starting") return this.release() // meanwhile the page was left, or asked for another way
      this.root.style.setProperty("--aspect", this.video.videoWidth / this.video.videoHeight)
      this.endFrames = eachFrame(this.video, (time) => this.frames.arrive(time))
      this.setState("running")
    } catch (error) {
      this.fail(error)
    }
  }

  stop() {
    this.release()
    this.setState("idle", "The camera is off.")
  }

  fail(problem) {
    this.release()
    this.setState("problem", sentence(problem))
    this.find(".serve").hidden = this.way === "server" || !SERVER_HELPS.includes(problem.name ?? problem)
  }

  release() {
    this.endFrames?.()
    this.close?.()
    this.endFrames = this.close = null
    this.frames?.rest()
    if (this.isRecording) this.record()
    this.forget()
    this.panel?.clear("No face yet")
    this.redraw()
  }

  end() {
    this.state = "ended"
    this.release()
    this.frames?.end()
  }

  setState(state, words = "") {
    this.state = this.root.dataset.state = state
    this.find(".serve").hidden = true
    const isOn = state === "running" || state === "paused"
    this.find(".sentence").textContent = words
    this.find(".start").textContent = state === "problem" ? "Try again" : "Start camera"
    this.find(".start").disabled = state === "starting"
    this.find(".mirror").disabled = false // all were, until the script came
    for (const name of ["pause", "snapshot", "stop"]) this.find(`.${name}`).disabled = !isOn
    this.find(".record").disabled = !isOn && !this.isRecording
    this.find(".pause").textContent = state === "paused" ? "Resume" : "Pause"
    this.find(".pause").setAttribute("aria-pressed", state === "paused")
    if (state === "paused") {
      this.redraw() // with what was read last
      this.video.pause()
    }
    if (state === "running" && this.video.paused) this.video.play().catch((error) => this.fail(error))
    if (!isOn) this.figures.reset()
  }

  hear(message) {
    const heard = {
      ready: () => {},
      loaded: () => (this.root.dataset.runs = message.runs.length),
      faces: () => this.seeFaces(message),
      read: () => this.seeReadings(message),
      failed: () => this.tell(`${message.run} could not be loaded (${message.message}): choose another run.`),
      broken: () => this.fail({ name: "broken", message: message.message }),
      refused: () => this.fail({ name: "refused", message: message.message }),
    }
    heard[message.kind]()
  }

  seeFaces({ faces, time, width, height, milliseconds }) {
    if (this.state !== "running") return
    this.faces = faces
    this.size = { width, height }
    if (!faces.some((face) => face.id === this.chosen)) this.chosen = faces[0]?.id ?? null
    this.redraw()
    const now = performance.now()
    this.figures.box.add(now - time, now)
    this.figures.find.add(milliseconds, now)
    this.root.dataset.ready ??= Math.round(now - this.mounted)
    this.root.dataset.frames = Number(this.root.dataset.frames ?? 0) + 1
    this.root.dataset.faces = faces.length
    if (this.figures.update(now) && this.isRecording) {
      this.tell(`Recording numbers: ${Math.round(this.recording.seconds)} s`)
    }
    if (!faces.length) this.panel.clear("No face in the picture")
  }

  seeReadings({ faces, readings, time, milliseconds }) {
    if (this.state !== "running") return
    const now = performance.now()
    this.figures.read.add(milliseconds, now)
    for (const { run: id, probabilities } of readings) {
      const run = this.data.runs.find((each) => each.id === id)
      if (!run) continue // of the choice before
      faces.forEach((face, place) => this.note(face, run, time, probabilities[place]))
    }
    if (now - (this.drawn ?? 0) < PANEL_MS) return // the frame's labels come with the next one's boxes
    this.drawn = now
    this.panel.draw(this.readings.history, this.chosen, now)
  }

  note(face, run, time, probabilities) {
    this.readings.note(face, run, time, probabilities)
    if (this.isRecording) this.addToRecording(face, run, time, probabilities)
  }

  redraw() {
    const { width, height } = this.size ?? { width: 1, height: 1 }
    const several = this.faces.length > 1
    const drawn = this.faces.map((face) => ({
      ...face, chosen: several && face.id === this.chosen, labels: this.labelsOf(face, several),
    }))
    drawFaces(this.overlay, drawn, { width, height, mirrored: this.mirrored, shown: this.overlay.clientWidth })
    this.showFaces()
  }

  labelsOf(face, several) {
    const runs = this.data?.runs ?? []
    return runs.flatMap((run, place) => {
      const found = this.readings.best(face, run)
      if (!found) return []
      const number = several && place === 0 ? `${face.id} · ` : "", letter = runs.length > 1 ? `${run.letter} ` : ""
      const text = `${number}${letter}${verdict(found)}`
      return [{ text, color: this.data.colors[found.emotion], ink: this.data.inks[found.emotion] }]
    })
  }

  /** A button for each face, where there are several. */
  showFaces() {
    const ids = this.faces.length > 1 ? this.faces.map((face) => face.id).sort((first, second) => first - second) : []
    const told = `${ids} ${this.chosen}`
    if (told === this.toldFaces) return
    this.toldFaces = told
    this.find(".faces").replaceChildren(...ids.map((id) => {
      const button = Object.assign(made("button", "", `Face ${id}`), { type: "button", onclick: () => this.choose(id) })
      button.setAttribute("aria-pressed", id === this.chosen)
      return button
    }))
  }

  choose(id) {
    this.chosen = id
    this.redraw()
    this.panel.draw(this.readings.history, id, performance.now())
  }

  chooseAt({ offsetX, offsetY }) {
    const scale = this.overlay.width / this.overlay.clientWidth
    const x = this.mirrored ? this.overlay.width - offsetX * scale : offsetX * scale, y = offsetY * scale
    const isIn = (face) => x >= face.x && x <= face.x + face.width && y >= face.y && y <= face.y + face.height
    const face = this.faces.find(isIn)
    if (face) this.choose(face.id)
  }

  mirror(mirrored) {
    this.mirrored = mirrored
    this.root.classList.toggle("as-filmed", !mirrored)
    this.find(".mirror").setAttribute("aria-pressed", mirrored)
    this.redraw()
  }

  async savePicture() {
    save(await picture(this.video, this.overlay, this.mirrored), "live-picture", "png")
    this.tell("The picture was saved on this computer.")
  }

  record() {
    this.isRecording = !this.isRecording
    if (this.isRecording) this.recording = new Recording(Object.keys(this.data.colors))
    const { rows, seconds } = this.recording
    this.find(".record").setAttribute("aria-pressed", this.isRecording)
    this.find(".record").textContent = this.isRecording ? "End recording" : "Record numbers"
    this.find(".save").disabled = this.isRecording || !rows.length
    this.tell(this.isRecording ? "Recording numbers: 0 s"
      : rows.length ? `Recorded ${rows.length} rows in ${Math.round(seconds)} s: numbers, no pictures.`
        : "Nothing is recorded: no face was read.")
  }

  addToRecording(face, run, time, probabilities) {
    this.recording.add(face, run, time, probabilities)
    if (this.recording.isFull) this.record()
  }

  tell(words) {
    this.find(".told").textContent = words
  }
}

function absolute(path) {
  return new URL(path, document.baseURI).href
}

/** What Remote or Frames load, with addresses that a worker can load, too. */
function loaded({ way, vendor, version, networks, runs, socket, ticket }) {
  if (way === "server") return { ticket, socket: absolute(socket).replace(/^http/, "ws") }
  return { vendor: absolute(vendor), version, wanted: runs.map((run) => ({ ...run, url: absolute(networks[run.id]) })) }
}

function save(blob, name, extension) {
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", "-")
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob) })
  link.download = `${name}-${time}.${extension}`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
