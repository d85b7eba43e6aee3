// The way of a frame: from the video to the finder, and with the faces that it found to the reader, whenever these
// are free. A frame that comes while they are at work is left out, or replaced by the next. The reader rests for as long
// as it has read, so that a large network leaves half a processor to the boxes and the picture.

export class Frames {
  /** `hear` gets every message of the workers, `isOn` says whether frames are to be looked at. */
  constructor(video, { hear, isOn }) {
    this.video = video
    this.canvas = document.createElement("canvas")
    this.context = this.canvas.getContext("2d", { willReadFrequently: true })
    this.hear = hear
    this.isOn = isOn
    this.finderIsFree = this.readerIsFree = false
    this.rested = 0 // from when on the reader may read again
    this.arrived = null // when the frame came that is shown and was not looked at
    this.finder = this.work("./finder.js")
    this.reader = this.work("./reader.js")
  }

  work(script) {
    const worker = new Worker(new URL(script, import.meta.url), { type: "module" })
    worker.onmessage = ({ data }) => this.take(data)
    worker.onerror = () => this.hear({ kind: "broken", message: `${script} does not start` })
    return worker
  }

  /** Load the detector, once, and the networks of `wanted`. */
  load({ vendor, version, wanted }) {
    this.readerIsFree = false
    if (!this.isLoading) this.finder.postMessage({ kind: "load", vendor, version })
    this.isLoading = true
    this.reader.postMessage({ kind: "load", vendor, version, wanted })
  }

  /** A new frame is shown since `time`. */
  arrive(time) {
    this.arrived = time
    this.give()
  }

  give() {
    const { videoWidth: width, videoHeight: height } = this.video
    if (!this.finderIsFree || this.arrived === null || !width || !this.isOn()) return
    const time = this.arrived
    this.arrived = null
    this.finderIsFree = false
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height })
    this.context.drawImage(this.video, 0, 0, width, height)
    const pixels = this.context.getImageData(0, 0, width, height).data.buffer
    this.finder.postMessage({ kind: "frame", pixels, width, height, time }, [pixels])
  }

  take(message) {
    if (message.kind === "ready" || message.kind === "faces") this.finderIsFree = true
    if (message.kind === "loaded" || message.kind === "read") this.readerIsFree = true
    if (message.kind === "read") this.rested = performance.now() + message.milliseconds
    this.hear(message) // the boxes are drawn before anything else is begun
    if (message.kind === "faces") this.read(message)
    if (message.kind === "ready" || message.kind === "faces") this.give()
  }

  read(message) {
    if (!this.readerIsFree || performance.now() < this.rested || !message.faces.length || !this.isOn()) return
    this.readerIsFree = false
    this.reader.postMessage({ ...message, kind: "frame" }, [message.pixels])
  }

  /** The camera is off. */
  rest() {
    this.arrived = null
  }

  end() {
    this.finder.terminate()
    this.reader.terminate()
  }
}
