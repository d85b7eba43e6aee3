// The component's two entries: `show`, again for every change of its data, and `hide`, once.

import { LiveCamera } from "./live_camera.js"

const cameras = new WeakMap() // one for each place on a page

/** Show the live camera in the component's element; `data` and what it may `tell` are in dashboard/live/component.py. */
export function show(element, data, tell) {
  let camera = cameras.get(element)
  if (!camera) {
    camera = new LiveCamera(element.querySelector(".live"), () => tell("server_wanted", true))
    cameras.set(element, camera)
  }
  camera.configure(data)
}

/** Release the camera and the networks. */
export function hide(element) {
  cameras.get(element)?.end()
  cameras.delete(element)
}
