// A photo with the boxes of its faces, which can be drawn, moved, resized and removed by pointer and keyboard.
// Boxes are in pixels of the photo. Every change is sent whole, with a number that the server sends back: what it
// says of older boxes than the ones on the screen is not taken over.

const TALLEST = 640 // pixels of a photo on the screen
const NARROWEST = 420 // pixels to which a smaller photo is enlarged
const SMALLEST = 12 // pixels of a side on the screen, below which a drag is no box
const KEYS_REST = 450 // milliseconds after the last key before a change is sent
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
const SIDES = ["x", "y", "width", "height", "roll"]
const CORNERS = ["nw", "ne", "sw", "se"]
const editors = new WeakMap()

export default function ({ data, parentElement, setTriggerValue }) {
  let editor = editors.get(parentElement)
  if (!editor) editors.set(parentElement, (editor = new Editor(parentElement.querySelector(".editor"))))
  editor.send = (value) => setTriggerValue("changed", value)
  editor.take(data)
  return () => {
    editor.end()
    editors.delete(parentElement)
  }
}

class Editor {
  constructor(root) {
    this.root = root
    const at = (name) => root.querySelector(`.${name}`)
    Object.assign(this, { stage: at("stage"), image: at("photo"), layer: at("boxes"), told: at("told") })
    this.buttons = Object.fromEntries(["edit", "add", "delete", "reset"].map((name) => [name, at(name)]))
    this.extras = [at("more"), at("hint")]
    this.squareHint = at("square-hint")
    this.boxes = []
    this.chosen = -1
    this.revision = 0
    this.drag = null
    this.listen()
  }

  /** Show what the server sends: another photo whole, the same one unless newer boxes are on the screen. */
  take(data) {
    const isOther = data.photo !== this.photo
    if (isOther) {
      Object.assign(this, { photo: data.photo, width: data.width, height: data.height, revision: data.revision })
      this.image.src = data.picture
      const tallest = (TALLEST * data.width) / data.height
      this.stage.style.width = `min(100%, ${Math.min(Math.max(data.width, NARROWEST), tallest)}px)`
      this.stage.style.aspectRatio = `${data.width} / ${data.height}`
      clearTimeout(this.keys)
      this.keys = null
      this.chosen = -1
      this.drag = null
      this.edit(data.boxes.length === 0)
    }
    this.image.alt = data.alt
    if (!isOther && (this.drag || this.keys || data.revision < this.revision)) return
    this.isDrawn = data.drawn
    this.boxes = data.boxes.map((box) => ({ ...box }))
    this.chosen = Math.min(this.chosen, this.boxes.length - 1)
    this.draw()
  }

  listen() {
    const { stage, layer, buttons } = this
    buttons.edit.onclick = () => this.edit(!this.isEditing)
    buttons.add.onclick = () => this.add()
    buttons.delete.onclick = () => this.remove(this.chosen)
    buttons.reset.onclick = () => this.commit(null, "The boxes are as they were found")
    stage.onpointerdown = (event) => this.begin(event)
    stage.onpointermove = (event) => this.drag && this.move(event)
    stage.onpointerup = () => this.drag && this.finish()
    stage.onpointercancel = () => this.drag && this.revert()
    layer.onkeydown = (event) => this.key(event)
    layer.onfocusin = (event) => this.isEditing && this.choose([...layer.children].indexOf(event.target.closest(".box")))
  }

  end() {
    clearTimeout(this.keys)
  }

  edit(isEditing) {
    this.isEditing = isEditing
    this.root.classList.toggle("is-editing", isEditing)
    this.buttons.edit.setAttribute("aria-pressed", isEditing)
    for (const extra of this.extras) extra.hidden = !isEditing
    this.draw()
  }

  /** Pixels of the photo in one pixel of the screen. */
  get scale() {
    return this.width / Math.max(1, this.stage.getBoundingClientRect().width)
  }

  point(event) {
    const frame = this.stage.getBoundingClientRect()
    const within = (value, most) => Math.min(Math.max(value * this.scale, 0), most)
    return [within(event.clientX - frame.left, this.width), within(event.clientY - frame.top, this.height)]
  }

  begin(event) {
    if (!this.isEditing || this.drag || event.button) return
    event.preventDefault()
    this.stage.setPointerCapture(event.pointerId)
    const place = [...this.layer.children].indexOf(event.target.closest(".box"))
    const corner = CORNERS.find((name) => event.target.classList.contains(name))
    const before = this.boxes.map((box) => ({ ...box }))
    this.drag = { place, corner, start: this.point(event), before, from: before[place] }
    this.choose(place)
    this.layer.children[place]?.focus({ preventScroll: true })
  }

  move(event) {
    const { drag } = this
    const [x, y] = this.point(event)
    if (drag.place < 0) return this.sketch(drag.start, [x, y])
    const [dx, dy] = [x - drag.start[0], y - drag.start[1]]
    const box = this.boxes[drag.place]
    if (drag.corner) this.stretch(box, drag.from, drag.corner, ...turned(dx, dy, -box.roll))
    else this.put(box, drag.from.x + dx, drag.from.y + dy)
    this.draw()
  }

  /** A new box between two points; it is one of the boxes from its first move on. */
  sketch([fromX, fromY], [x, y]) {
    const { drag } = this
    if (drag.made === undefined) drag.made = this.boxes.push(this.fresh()) - 1
    const sides = { x: Math.min(fromX, x), y: Math.min(fromY, y), width: Math.abs(x - fromX), height: Math.abs(y - fromY) }
    Object.assign(this.boxes[drag.made], sides)
    this.chosen = drag.made
    this.draw()
  }

  fresh() {
    return { x: 0, y: 0, width: 0, height: 0, roll: 0, label: "new", color: "#4F5BD5", ink: "#FFFFFF" }
  }

  /** Move a corner by (dx, dy), in the box's own turned frame; the opposite corner stays where it is. */
  stretch(box, from, corner, dx, dy) {
    const least = SMALLEST * this.scale
    const [right, down] = [corner.includes("e") ? 1 : -1, corner.includes("s") ? 1 : -1]
    box.width = Math.max(least, Math.min(from.width + right * dx, 2 * this.width))
    box.height = Math.max(least, Math.min(from.height + down * dy, 2 * this.height))
    const [wider, higher] = [box.width - from.width, box.height - from.height]
    const [x, y] = turned((right * wider) / 2, (down * higher) / 2, box.roll)
    box.x = from.x - wider / 2 + x
    box.y = from.y - higher / 2 + y
  }

  /** Move a box; its centre stays in the photo. */
  put(box, x, y) {
    box.x = Math.min(Math.max(-box.width / 2, x), this.width - box.width / 2)
    box.y = Math.min(Math.max(-box.height / 2, y), this.height - box.height / 2)
  }

  finish() {
    const { made, place, before } = this.drag
    this.drag = null
    const box = this.boxes[made ?? place]
    const least = SMALLEST * this.scale
    if (made !== undefined && (box.width < least || box.height < least)) {
      this.boxes.pop()
      this.choose(-1)
      return
    }
    if (made !== undefined) this.layer.children[made]?.focus({ preventScroll: true })
    const sides = (each) => JSON.stringify(SIDES.map((name) => each?.[name]))
    if (box && sides(box) !== sides(before[made ?? place])) {
      this.commit(this.boxes, made === undefined ? `Box ${place + 1} is changed` : `Box ${made + 1} is new`)
    }
  }

  revert() {
    this.boxes = this.drag.before
    this.drag = null
    this.choose(Math.min(this.chosen, this.boxes.length - 1))
  }

  add() {
    const side = Math.min(this.width, this.height) / 3
    const place = this.boxes.push({ ...this.fresh(), width: side, height: side }) - 1
    this.put(this.boxes[place], (this.width - side) / 2, (this.height - side) / 2)
    this.choose(place)
    this.layer.children[place].focus({ preventScroll: true })
    this.commit(this.boxes, `Box ${place + 1} is new`)
  }

  remove(place) {
    if (!this.boxes[place]) return
    this.boxes.splice(place, 1)
    this.choose(Math.min(place, this.boxes.length - 1))
    this.layer.children[this.chosen]?.focus({ preventScroll: true })
    this.commit(this.boxes, `Box ${place + 1} is removed`)
  }

  key(event) {
    const place = [...this.layer.children].indexOf(event.target.closest(".box"))
    const box = this.boxes[place]
    if (!this.isEditing || !box) return
    if (event.key === "Escape" && this.drag) this.revert()
    else if (event.key === "Delete" || event.key === "Backspace") this.remove(place)
    else if (event.key in ARROWS) this.nudge(box, place, ARROWS[event.key], event.shiftKey)
    else return
    event.preventDefault()
    event.stopPropagation() // keys of the page around must not act on it as well
  }

  nudge(box, place, [dx, dy], isResize) {
    const step = Math.max(1, Math.max(this.width, this.height) / 200)
    if (isResize) this.stretch(box, { ...box }, "se", dx * step, dy * step)
    else this.put(box, box.x + dx * step, box.y + dy * step)
    this.draw()
    clearTimeout(this.keys)
    this.keys = setTimeout(() => this.commit(this.boxes, `Box ${place + 1} is changed`), KEYS_REST)
  }

  /** Send all boxes, or null for those that were found. */
  commit(boxes, told) {
    clearTimeout(this.keys)
    this.keys = null
    this.revision += 1
    const sides = boxes?.map((box) => Object.fromEntries(SIDES.map((name) => [name, box[name]]))) ?? null
    this.told.textContent = `${told}.`
    this.draw()
    this.send({ photo: this.photo, revision: this.revision, boxes: sides })
  }

  choose(place) {
    this.chosen = place
    this.draw()
  }

  draw() {
    while (this.layer.children.length > this.boxes.length) this.layer.lastElementChild.remove()
    while (this.layer.children.length < this.boxes.length) this.layer.append(newBox())
    this.boxes.forEach((box, place) => this.drawBox(this.layer.children[place], box, place))
    this.buttons.delete.disabled = this.chosen < 0
    this.squareHint.hidden = this.chosen < 0 // only then is a square drawn
    this.buttons.reset.disabled = !this.isDrawn
  }

  drawBox(element, box, place) {
    const across = (value) => `${(100 * value) / this.width}%`
    const down = (value) => `${(100 * value) / this.height}%`
    Object.assign(element.style, {
      transform: box.roll ? `rotate(${box.roll}deg)` : "",
      left: across(box.x), top: down(box.y), width: across(box.width), height: down(box.height),
    })
    element.style.setProperty("--color", box.color)
    element.style.setProperty("--ink", box.ink)
    element.classList.toggle("is-unsure", Boolean(box.unsure))
    element.classList.toggle("is-chosen", place === this.chosen)
    element.classList.toggle("at-top", box.y < 26 * this.scale)
    element.classList.toggle("at-right", box.x + box.width / 2 > 0.75 * this.width)
    element.tabIndex = this.isEditing ? 0 : -1
    element.setAttribute("role", this.isEditing ? "button" : "img")
    element.setAttribute("aria-label", `Box ${place + 1}: ${box.label}`)
    element.querySelector(".plate").textContent = box.label
    const side = Math.max(box.width, box.height) // as crop_face takes it
    Object.assign(element.querySelector(".square").style, {
      width: `${(100 * side) / box.width}%`, height: `${(100 * side) / box.height}%`,
      left: `${(50 * (box.width - side)) / box.width}%`, top: `${(50 * (box.height - side)) / box.height}%`,
    })
  }
}

/** A step in the photo as the turned frame of a box sees it, or back with the negative angle. */
function turned(dx, dy, degrees) {
  const angle = (degrees * Math.PI) / 180
  return [dx * Math.cos(angle) - dy * Math.sin(angle), dx * Math.sin(angle) + dy * Math.cos(angle)]
}

function newBox() {
  const element = document.createElement("div")
  element.className = "box"
  const parts = ["square", "plate", ...CORNERS.map((name) => `handle ${name}`)]
  element.append(...parts.map((name) => Object.assign(document.createElement("div"), { className: name })))
  return element
}
