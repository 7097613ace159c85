// What was painted before; a click shows it again. The value is {items: [{src, title}]}.
const strip = element.querySelector(".studio-strip");
function render() {
  const items = (props.value || {}).items || [];
  strip.replaceChildren(...items.map((one, k) => {
    const button = document.createElement("button"), image = document.createElement("img");
    button.type = "button";
    button.title = image.alt = one.title;
    image.src = one.src;
    button.append(image);
    button.addEventListener("click", () => trigger("picked", { k }));
    return button;
  }));
}
watch("value", render);
render();
