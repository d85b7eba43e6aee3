// The way of a frame where the server reads it: as a JPEG over a socket to where the page comes from, the next one
// after the answer. dashboard/live/route.py is the other end. Nothing is opened before the camera gives a frame.

import { HEIGHT, WIDTH } from "./camera.js"
import { Tracker } from "./tracker.js"

const QUALITY = 0.8
const IDLE = 4002 // the code of a socket that was not used for long

export class Remote {
  /** `hear` gets messages as from the workers of Frames, `isOn` says whether frames are to be looked at. */
  constructor(video, { hear, isOn }) {
    Object.assign(this, { video, hear, isOn })
    this.canvas = document.createElement("canvas")
    this.context = this.canvas.getContext("2d")
    this.tracker = new Tracker()
    this.arrived = null // when the frame came that is shown and was not sent
  }

  /** Take another choice of runs, for which the page has a `ticket`. */
  load({ socket, ticket }) {
    this.rest()
    this.address = socket
    this.ticket = ticket
  }

  /** A new frame is shown since `time`. */
  arrive(time) {
    this.arrived = time
    this.give()
  }

  give() {
    if (this.arrived === null || !this.video.videoWidth || !this.isOn()) return
    if (!this.socket) return this.open()
    if (!this.isFree) return
    this.isFree = false
    this.sent = { time: this.arrived, ...this.draw() }
    this.arrived = null
    const { socket } = this
    this.canvas.toBlob((frame) => socket.readyState === WebSocket.OPEN && socket.send(frame), "image/jpeg", QUALITY)
  }

  /** The picture as large as the server takes it: its sides. */
  draw() {
    const { videoWidth, videoHeight } = this.video
    const [across, down] = videoWidth < videoHeight ? [HEIGHT, WIDTH] : [WIDTH, HEIGHT]
    const scale = Math.min(1, across / videoWidth, down / videoHeight)
    const width = Math.round(videoWidth * scale), height = Math.round(videoHeight * scale)
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height })
    this.context.drawImage(this.video, 0, 0, width, height)
    return { width, height }
  }

  open() {
    const socket = (this.socket = new WebSocket(this.address))
    this.isFree = false
    this.refusal = ""
    socket.onopen = () => socket.send(this.ticket)
    socket.onmessage = ({ data }) => socket === this.socket && this.take(JSON.parse(data))
    socket.onclose = ({ code }) => socket === this.socket && this.lose(code)
  }

  take(message) {
    if (message.kind === "refused") {
      this.refusal = message.message // the socket is closed next
      return
    }
    this.isFree = true
    if (message.kind === "ready") this.hear({ kind: "loaded", runs: message.runs })
    else this.tell(message)
    this.give()
  }

  tell({ faces: found, readings, find_ms: finding, read_ms: reading }) {
    const { time, width, height } = this.sent
    const faces = this.tracker.update(found.map((face, place) => ({ ...face, place })), time)
    this.hear({ kind: "faces", faces, time, width, height, milliseconds: finding })
    if (!faces.length) return
    const ofFaces = (probabilities) => faces.map(({ place }) => probabilities[place])
    const ordered = readings.map(({ run, probabilities }) => ({ run, probabilities: ofFaces(probabilities) }))
    this.hear({ kind: "read", faces, readings: ordered, time, milliseconds: reading })
  }

  lose(code) {
    this.socket = null
    if (code === IDLE) return
    this.hear({ kind: "refused", message: this.refusal })
  }

  /** The camera is off: another viewer may have the seat. */
  rest() {
    const { socket } = this
    this.socket = this.arrived = null
    socket?.close()
  }

  end() {
    this.rest()
  }
}
