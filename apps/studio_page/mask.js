// Where to paint: strokes over the photograph. The value is {photograph, hint, height, width, key}.
const canvas = element.querySelector("canvas"), picture = element.querySelector("img");
const pen = canvas.getContext("2d");
let key = null, drawing = false;
function clear() { pen.clearRect(0, 0, canvas.width, canvas.height); }
function render() {
  const value = props.value || {};
  element.querySelector(".hint").textContent = value.hint || "";
  if (value.photograph) { picture.src = value.photograph; } else { picture.removeAttribute("src"); }
  if (value.key !== key) {
    key = value.key;
    const scale = Math.min(1, 512 / Math.max(value.width || 1, value.height || 1));
    canvas.width = Math.max(Math.round((value.width || 1) * scale), 1);
    canvas.height = Math.max(Math.round((value.height || 1) * scale), 1);
    clear();
    if (value.mask) {
      const drawn = new Image();
      drawn.onload = () => {
        pen.drawImage(drawn, 0, 0, canvas.width, canvas.height);
        // White is where nothing was drawn.
        const found = pen.getImageData(0, 0, canvas.width, canvas.height);
        for (let k = 0; k < found.data.length; k += 4) {
          if (found.data[k] > 127) { found.data[k + 3] = 0; }
        }
        pen.putImageData(found, 0, 0);
      };
      drawn.src = value.mask;
    }
  }
}
function at(event) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * canvas.width,
          (event.clientY - box.top) / box.height * canvas.height];
}
canvas.addEventListener("pointerdown", (event) => {
  if (!(props.value || {}).photograph) { return; }
  event.preventDefault();
  canvas.setPointerCapture(event.pointerId);
  drawing = true;
  pen.lineWidth = Math.max(canvas.width, canvas.height) / 9;
  pen.lineCap = pen.lineJoin = "round";
  pen.strokeStyle = "#000";
  pen.beginPath();
  pen.moveTo(...at(event));
  pen.lineTo(...at(event));
  pen.stroke();
});
canvas.addEventListener("pointermove", (event) => {
  if (!drawing) { return; }
  pen.lineTo(...at(event));
  pen.stroke();
});
canvas.addEventListener("pointerup", () => {
  if (!drawing) { return; }
  drawing = false;
  const page = document.createElement("canvas");
  page.width = canvas.width;
  page.height = canvas.height;
  const paper = page.getContext("2d");
  paper.fillStyle = "#fff";
  paper.fillRect(0, 0, page.width, page.height);
  paper.drawImage(canvas, 0, 0);
  trigger("drawn", { png: page.toDataURL("image/png") });
});
element.querySelector(".clear").addEventListener("click", () => {
  clear();
  trigger("drawn", { png: "" });
});
watch("value", render);
render();
