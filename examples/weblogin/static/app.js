"use strict";

// Keeps the sign-in page up to date. Without it the page refreshes itself.
(() => {
  const card = document.getElementById("signin");
  const status = document.getElementById("status");
  const clock = document.getElementById("countdown");
  const bar = document.getElementById("timeleft");
  const site = document.title.slice(document.title.indexOf("·"));
  const open = (state) => state === "waiting" || state === "scanned";

  // show turns the page to a state and says so, once, to who can't see it.
  function show(state) {
    if (state === card.dataset.state) return;
    const active = document.activeElement;
    card.dataset.state = state;
    for (const section of card.querySelectorAll("[data-for]")) {
      section.hidden = section.dataset.for !== state;
    }
    const section = card.querySelector(`[data-for="${state}"]`);
    section.classList.add("arrived");
    document.title = `${section.dataset.title} ${site}`;
    status.textContent = section.dataset.say ?? "";
    // The keyboard goes to the one thing to do next, unless it is in use
    // elsewhere on the page.
    if (active === document.body || active.closest("[hidden]")) {
      section.querySelector("[data-focus]")?.focus();
    }
  }

  // The time left is counted from what the server said, not from a date: the
  // two clocks may differ. It is spoken twice only.
  let ends = performance.now() + Number(card.dataset.remaining) * 1000;
  let spoken = Infinity; // seconds
  function tick() {
    const left = Math.max(0, Math.round((ends - performance.now()) / 1000));
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    bar.value = left;
    const mark = [20, 60].find((seconds) => left <= seconds);
    if (left > 0 && mark < spoken && card.dataset.state === "waiting") {
      spoken = mark;
      status.textContent = left > 50 ? "One minute left to scan the code." : `${left} seconds left to scan the code.`;
    }
  }

  // The server signs this browser in when the page asks again.
  function finish() {
    setTimeout(() => location.replace("/signin"), 1200);
  }

  // A page that comes back from the browser's cache is out of date.
  addEventListener("pageshow", (e) => {
    if (e.persisted) location.reload();
  });
  if (!open(card.dataset.state)) return;

  const timer = setInterval(tick, 1000);
  let events = null;

  function listen() {
    if (events || document.hidden || !open(card.dataset.state)) return;
    events = new EventSource("/signin/events");
    events.addEventListener("state", (e) => {
      const { state, remaining } = JSON.parse(e.data);
      ends = performance.now() + remaining * 1000;
      show(state);
      if (open(state)) return;
      clearInterval(timer);
      hush();
      if (state === "approved") finish();
    });
    // It comes again by itself after a lost connection, but not after a
    // refusal.
    events.addEventListener("error", () => {
      if (events?.readyState === EventSource.CLOSED) setTimeout(recover, 3000);
    });
  }

  // A tab that nobody sees gives its connection back: browsers allow few.
  function hush() {
    events?.close();
    events = null;
  }

  // After a refusal this flow is not known any more, there are too many tabs, or
  // the server is being replaced: the page loads again once there is one to load.
  async function recover() {
    try {
      if ((await fetch("/signin", { method: "HEAD" })).ok) return location.reload();
    } catch {
      // nobody answers yet
    }
    setTimeout(recover, 3000);
  }

  addEventListener("visibilitychange", () => (document.hidden ? hush() : listen()));
  listen();
})();
