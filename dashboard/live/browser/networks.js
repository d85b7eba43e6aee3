// onnxruntime-web, the detector and the runs' networks; all come from the server that shows the page.

import { cropFace } from "./pixels.js"

/**
 * onnxruntime with its WebAssembly, on one thread: more need headers that Streamlit does not send.
 * `vendor(name)` is the address of an installed file.
 */
export async function loadRuntime(vendor) {
  const [ort, wasm] = await Promise.all([import(vendor("ort.wasm.min.mjs")), unpacked(vendor("ort.wasm.gz"))])
  ort.env.wasm.numThreads = 1
  ort.env.wasm.wasmPaths = { mjs: vendor("ort-wasm-simd-threaded.mjs") }
  ort.env.wasm.wasmBinary = wasm
  ort.env.logLevel = "error"
  return ort
}

/** A network: its bytes come from `url`. */
export async function loadNetwork(ort, url) {
  const model = new Uint8Array(await (await fetched(url)).arrayBuffer())
  return ort.InferenceSession.create(model, { executionProviders: ["wasm"], graphOptimizationLevel: "all" })
}

/** A run's probabilities of every face in `boxes`, one array of its classes for each. */
export async function read(ort, { session, size }, picture, boxes) {
  const faces = new Uint8Array(boxes.length * size * size)
  boxes.forEach((box, place) => faces.set(cropFace(picture, box, size), place * size * size))
  const answer = await session.run({ faces: new ort.Tensor("uint8", faces, [boxes.length, size, size]) })
  const classes = answer.probabilities.dims[1]
  return boxes.map((_, place) => [...answer.probabilities.data.subarray(place * classes, (place + 1) * classes)])
}

async function fetched(url) {
  const answer = await fetch(url)
  if (!answer.ok) throw new Error(`${new URL(url).pathname} could not be loaded (status ${answer.status})`)
  return answer
}

async function unpacked(url) {
  const packed = (await fetched(url)).body
  return new Response(packed.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer()
}
