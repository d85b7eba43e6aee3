// What both workers share: one message after the other, and a failure is told.

/** Answer each message with `actions[kind]`; `sender` names the worker in what it tells. */
export function serve(sender, actions) {
  let queue = Promise.resolve()
  onmessage = ({ data }) => {
    queue = queue.then(() => actions[data.kind](data)).catch((error) => {
      postMessage({ kind: "broken", sender, message: String(error?.message ?? error) })
    })
  }
}

/** The address of an installed file, as `loadRuntime` takes it. */
export function installed({ vendor, version }) {
  return (name) => `${vendor}/${name}?v=${version}`
}

/** The picture that a message holds. */
export function pictureOf({ pixels, width, height }) {
  return { pixels: new Uint8ClampedArray(pixels), width, height }
}
