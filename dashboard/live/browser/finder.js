// The worker that finds faces in every frame.
//
// To it:   { kind: "load", vendor, version }; { kind: "frame", pixels, width, height, time }, one at a time.
// From it: "ready"; "faces": where they are, and the frame again, for the reader.

import { detect } from "./detector.js"
import { loadNetwork, loadRuntime } from "./networks.js"
import { installed, pictureOf, serve } from "./serving.js"
import { Tracker } from "./tracker.js"

const tracker = new Tracker()
let runtime = null, detector = null

async function load(message) {
  const address = installed(message)
  runtime = await loadRuntime(address)
  detector = await loadNetwork(runtime, address("detector.onnx"))
  postMessage({ kind: "ready" })
}

async function frame(message) {
  const started = performance.now()
  const faces = tracker.update(await detect(runtime, detector, pictureOf(message)), message.time)
  const milliseconds = performance.now() - started
  postMessage({ ...message, kind: "faces", faces, milliseconds }, [message.pixels])
}

serve("finder", { load, frame })
