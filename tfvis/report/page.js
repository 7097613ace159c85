
"use strict";
// A click shows a picture at its own size or the window's, whichever is larger; arrows go on to
// the others; Escape or a click closes it.
var dialog = document.querySelector("dialog"), large = dialog.querySelector("img");
var buttons = Array.from(document.querySelectorAll("button.enlarges")), shown = 0;
function pictureOf(button) {
  var pair = button.closest(".pair");
  if (!pair) { return button.querySelector("img"); }
  return pair.querySelectorAll(".both img")[Array.from(button.parentNode.children).indexOf(button)];
}
function enlarge(number) {
  shown = (number + buttons.length) % buttons.length;
  var small = pictureOf(buttons[shown]);
  function show() {
    var fit = Math.min(0.96 * innerWidth / small.naturalWidth,
                       0.9 * innerHeight / small.naturalHeight);
    large.src = small.src;
    large.alt = small.alt;
    large.className = small.className;
    large.style.width = Math.round(small.naturalWidth * Math.max(1, fit)) + "px";
    dialog.querySelector("p").textContent = small.alt;
    if (!dialog.open) { dialog.showModal(); }
  }
  small.loading = "eager";
  if (small.complete) { show(); } else { small.addEventListener("load", show, { once: true }); }
}
buttons.forEach(function (button, number) {
  button.addEventListener("click", function () { enlarge(number); });
});
dialog.addEventListener("click", function () { dialog.close(); });
dialog.addEventListener("keydown", function (event) {
  var step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step) { event.preventDefault(); enlarge(shown + step); }
});
// How much of the one and of the other is seen.
document.querySelectorAll(".both input").forEach(function (slider) {
  function cut() {
    slider.parentNode.style.setProperty("--cut", slider.value + "%");
    slider.parentNode.style.setProperty("--at", slider.value / 100);
  }
  slider.addEventListener("input", cut);
  cut();  // A page that is loaded again keeps its sliders.
});
// What a number means, where it stands.
var meaning = document.getElementById("meaning_");
function hide() { meaning.hidden = true; }
document.querySelectorAll("a.number").forEach(function (link) {
  function tell() {
    var entry = document.getElementById(link.getAttribute("href").slice(1));
    var place = link.getBoundingClientRect();
    meaning.textContent = entry.nextElementSibling.textContent;
    meaning.hidden = false;
    meaning.style.left = scrollX + Math.max(8, Math.min(
      place.left, document.documentElement.clientWidth - meaning.offsetWidth - 8)) + "px";
    var below = place.bottom + 6 + meaning.offsetHeight <= innerHeight;
    meaning.style.top = scrollY + (below ? place.bottom + 6
                                         : place.top - meaning.offsetHeight - 6) + "px";
  }
  link.addEventListener("mouseenter", tell);
  link.addEventListener("focus", tell);
  link.addEventListener("mouseleave", hide);
  link.addEventListener("blur", hide);
});
