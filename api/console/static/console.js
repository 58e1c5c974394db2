// The keyboard and in-place updates. Every page works without it: what it does goes through the page's own forms and links.

const body = document.body;
body.dataset.scripts = "on";

const told = document.getElementById("told");

function isTyping(target) {
  return target.closest("input, select, textarea, [contenteditable], dialog[open]") !== null;
}

function visible(element) {
  return element.offsetParent !== null || element.closest(".told") !== null;
}

// ---- Keys: each is on the control that it presses.

function press(key) {
  if (key === "p") {
    history.back();
    return true;
  }
  const control = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find(visible);
  if (!control && key === "j") {
    history.forward();
    return true;
  }
  if (!control) return false;
  control.click();
  return true;
}

document.addEventListener("keydown", (event) => {
  if (body.dataset.shortcuts === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.isComposing || isTyping(event.target)) return;
  if (press(event.key.toLowerCase())) event.preventDefault();
});

// ---- In place: a form's answer takes the place of this page's content, as if the page had been loaded.

function say(text) {
  told.replaceChildren();
  const toast = document.createElement("div");
  toast.className = "toast";
  const line = document.createElement("p");
  line.textContent = text;
  toast.append(line);
  told.append(toast);
}

function show(text, address, { add }) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const main = page.getElementById("main");
  if (!main) throw new Error("no page");
  document.title = page.title;
  document.getElementById("main").replaceWith(document.adoptNode(main));
  for (const part of ["header.bar", "footer.foot"]) {
    document.querySelector(part)?.replaceWith(document.adoptNode(page.querySelector(part)));
  }
  // The status region stays and only what it says changes, or nobody would hear it.
  told.replaceChildren(...page.getElementById("told").childNodes);
  if (add) history.pushState({ inPlace: true }, "", address);
  shown = location.pathname + location.search;
  window.scrollTo(0, 0);
  enhance();
  document.getElementById("main").focus({ preventScroll: true });
}

// What is said on a page as it loads is said once more, since only what changes afterwards is heard.
const saidAtFirst = [...told.childNodes];
told.replaceChildren();
setTimeout(() => {
  if (told.childNodes.length === 0) told.append(...saidAtFirst);
}, 150);

let working = false;
let shown = location.pathname + location.search;

async function submit(form, button) {
  if (working) return;
  working = true;
  form.setAttribute("aria-busy", "true");
  const slow = setTimeout(() => say(body.dataset.slow), 3000);
  try {
    const answer = await fetch(form.getAttribute("action"), {
      method: "POST",
      body: new URLSearchParams(new FormData(form, button)),
      credentials: "same-origin",
    });
    const text = await answer.text();
    show(text, answer.redirected ? answer.url : location.href, { add: answer.url !== location.href });
  } catch {
    say(body.dataset.offline);
  } finally {
    clearTimeout(slow);
    form.removeAttribute("aria-busy");
    working = false;
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.submitter?.matches("[data-look]")) {
    const place = event.submitter.closest("[data-load]");
    if (!place) return;
    event.preventDefault();
    const pins = new FormData(form).getAll("pin").map((pin) => ["pin", pin]);
    load(place, `${place.dataset.load}?${new URLSearchParams(pins)}`);
    return;
  }
  if (!form.matches("[data-answers], .toast form") || event.defaultPrevented) return;
  event.preventDefault();
  submit(form, event.submitter);
});

// Back to another page; a step to a place of this one, such as its content, leaves it as it is.
window.addEventListener("popstate", () => {
  if (location.pathname + location.search !== shown) location.reload();
});

// A page that the browser kept is asked for again: who signed out must not see it.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// ---- Parts that are fetched when they are asked for.

async function load(place, address) {
  try {
    const answer = await fetch(address, { credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = page.getElementById("effect") ?? page.querySelector("main > section");
    place.replaceChildren(...document.adoptNode(part).childNodes);
    // The link that asked for it is gone: whoever stood on it stands on what came.
    place.tabIndex = -1;
    place.focus({ preventScroll: true });
  } catch {
    say(body.dataset.offline);
  }
}

function enhance() {
  for (const place of document.querySelectorAll("[data-load]")) {
    place.querySelector("a")?.addEventListener("click", (event) => {
      event.preventDefault();
      load(place, place.dataset.load);
    });
  }
  const help = document.querySelector("[data-help]");
  if (help) {
    help.hidden = body.dataset.shortcuts === "off";
    help.addEventListener("click", () => document.getElementById("help").showModal());
  }
}

enhance();
