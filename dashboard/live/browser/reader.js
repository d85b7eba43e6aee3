// The worker that reads the faces with the chosen runs, as often as their networks allow.
//
// To it:   { kind: "load", vendor, version, wanted }, for each choice of runs;
//          { kind: "frame", pixels, width, height, time, faces }, one at a time.
// From it: "failed": one run does not load; "loaded"; "read": what each run reads in each face.

import { loadNetwork, loadRuntime, read } from "./networks.js"
import { installed, pictureOf, serve } from "./serving.js"

const known = new Map() // address of a network -> it
let runtime = null, runs = []

async function load(message) {
  runtime ??= await loadRuntime(installed(message))
  await release(message.wanted)
  runs = []
  for (const run of message.wanted) {
    try {
      if (!known.has(run.url)) known.set(run.url, await loadNetwork(runtime, run.url))
      runs.push({ ...run, session: known.get(run.url) })
    } catch (error) {
      postMessage({ kind: "failed", run: run.label, message: String(error?.message ?? error) })
    }
  }
  postMessage({ kind: "loaded", runs: runs.map((run) => run.id) })
}

/** Free the networks that are no longer wanted. */
async function release(wanted) {
  for (const [url, session] of known) {
    if (wanted.some((run) => run.url === url)) continue
    known.delete(url)
    await session.release()
  }
}

async function frame(message) {
  const { faces, time } = message
  const picture = pictureOf(message), started = performance.now()
  const readings = []
  for (const run of runs) readings.push({ run: run.id, probabilities: await read(runtime, run, picture, faces) })
  postMessage({ kind: "read", faces, readings, time, milliseconds: performance.now() - started })
}

serve("reader", { load, frame })
