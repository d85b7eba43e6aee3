// The camera: opening it, and saying what is wrong where it cannot be opened.

export const WIDTH = 640, HEIGHT = 480 // wished for; a camera may give others

const SENTENCES = {
  insecure:
    "Browsers give a camera only to pages from localhost or over HTTPS: open this page on the computer that runs it, " +
    "as http://localhost, or serve it over HTTPS.",
  wasm: "This browser runs no WebAssembly, which the networks need: update it, or let the server read the frames.",
  worker: "This browser is too old to run the networks: update it, or let the server read the frames.",
  NotAllowedError:
    "The camera is blocked for this page: allow it in the browser's address bar (or the system's privacy settings), " +
    "and try again.",
  NotFoundError: "No camera was found: connect one, and try again.",
  NotReadableError: "The camera is in use by another program: close it there, and try again.",
  refused: "The connection to the server is gone: try again, or load the page again.",
  lost: "The camera is gone: it was unplugged, or another program took it. Connect it, and try again.",
}

/** A sentence on a state or an error: what is wrong, and what to do. */
export function sentence(problem) {
  const name = typeof problem === "string" ? problem : problem?.name
  if (name === "refused" && problem.message) return problem.message
  if (name === "broken") return `The networks do not run in this browser (${problem.message}).`
  return SENTENCES[name] ?? `The camera could not be started (${problem?.message || name}): try again.`
}

/** What this browser lacks to have frames read in this `way`: a name for `sentence`, or the empty string. */
export function obstacle(way) {
  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) return "insecure"
  if (way === "server") return ""
  if (typeof WebAssembly !== "object") return "wasm"
  return typeof Worker === "function" && typeof DecompressionStream === "function" ? "" : "worker"
}

/** Whether the camera was allowed before, so that nobody is asked. */
export async function isAllowed() {
  try {
    return (await navigator.permissions.query({ name: "camera" })).state === "granted"
  } catch {
    return false // Firefox does not tell; the button asks
  }
}

/** Show the camera in `video`; `onLost` is called when it goes away by itself. */
export async function openCamera(video, onLost) {
  const wishes = { width: { ideal: WIDTH }, height: { ideal: HEIGHT }, frameRate: { ideal: 30 }, facingMode: "user" }
  const stream = await navigator.mediaDevices.getUserMedia({ video: wishes, audio: false })
  for (const track of stream.getTracks()) track.addEventListener("ended", onLost)
  video.srcObject = stream
  await video.play()
  return () => closeCamera(video, stream, onLost)
}

function closeCamera(video, stream, onLost) {
  for (const track of stream.getTracks()) {
    track.removeEventListener("ended", onLost)
    track.stop()
  }
  video.srcObject = null
}

/** Call `take(time)` for every new frame until the returned function is called. */
export function eachFrame(video, take) {
  const byFrame = typeof video.requestVideoFrameCallback === "function"
  let handle = 0, ended = false
  const next = () => {
    if (!ended) handle = byFrame ? video.requestVideoFrameCallback(step) : requestAnimationFrame(step)
  }
  const step = () => {
    take(performance.now()) // the frame is on the screen now
    next()
  }
  next()
  return () => {
    ended = true
    if (byFrame) video.cancelVideoFrameCallback(handle)
    else cancelAnimationFrame(handle)
  }
}
