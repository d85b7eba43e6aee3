// The component's two entries: `show`, again for every change of its data, and `hide`, once.

import { LiveCamera } from "./live_camera.js"

const cameras = new WeakMap() // one for each place on a page

/** Show the live camera in the component's element; `data` as dashboard/live/component.py describes it. */
export function show(element, data) {
  let camera = cameras.get(element)
  if (!camera) cameras.set(element, (camera = new LiveCamera(element.querySelector(".live"))))
  camera.configure(data)
}

/** Release the camera and the networks. */
export function hide(element) {
  cameras.get(element)?.end()
  cameras.delete(element)
}
