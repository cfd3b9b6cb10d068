"use strict";

// Keeps the sign-in page up to date. Without it the page refreshes itself.
(() => {
  // A page that comes back from the browser's cache is out of date.
  addEventListener("pageshow", (e) => e.persisted && location.reload());

  const card = document.getElementById("signin");
  if (!card) return;
  const status = document.getElementById("status");
  const clock = document.getElementById("countdown");
  const bar = document.getElementById("timeleft");
  const name = document.title.lastIndexOf(" · ");
  const site = name < 0 ? "" : document.title.slice(name);
  const open = () => card.dataset.state === "waiting" || card.dataset.state === "scanned";
  const renewAhead = 30; // seconds before the code expires
  const sight = 700; // milliseconds in which "approved" is to be seen

  // The server signs this browser in at finish, once: a request that another
  // one cut off would have been it.
  let leaving = false;
  function leave(go = () => location.replace("finish")) {
    if (leaving) return;
    leaving = true; // for good: a page that comes back loads again
    hush();
    go();
  }
  const again = () => location.reload();

  // show turns the page to a state and says so, once, to those who can't see it.
  function show(state) {
    if (state === card.dataset.state) return;
    const active = document.activeElement;
    card.dataset.state = state;
    for (const section of card.querySelectorAll("[data-for]")) {
      section.hidden = section.dataset.for !== state;
    }
    const section = card.querySelector(`[data-for="${state}"]`);
    section.classList.add("arrived");
    document.title = section.dataset.title + site;
    status.textContent = section.dataset.say ?? "";
    // The keyboard goes to the one thing to do next, unless it is in use
    // elsewhere on the page.
    if (active === document.body || active.closest("[hidden]")) {
      section.querySelector("[data-focus]")?.focus();
    }
  }

  // The time left is counted from what the server sent, not from a date: the
  // two clocks may differ. No one hears it.
  let ends = 0;
  const left = () => Math.max(0, Math.round((ends - performance.now()) / 1000));
  function count(seconds) {
    ends = performance.now() + seconds * 1000;
    tick();
  }
  function tick() {
    const seconds = left();
    clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    bar.value = seconds;
    if (seconds <= renewAhead && seconds > 0) renew();
  }

  // renew gets the page a new code before the old one expires. If there is no
  // getting one, the old one expires and its page has a button.
  let renewing = false;
  async function renew() {
    if (renewing || document.hidden || leaving || card.dataset.state !== "waiting" || !card.dataset.renew) return;
    renewing = true;
    try {
      const answer = await fetch("renew", { method: "POST" });
      if (!answer.ok) return;
      const code = await answer.json();
      if (card.dataset.state !== "waiting") return leave(again);
      document.getElementById("qr").src = code.qr;
      document.getElementById("app-link")?.setAttribute("href", code.link);
      const number = document.querySelector("#number b");
      if (number) number.textContent = code.number;
      status.textContent = card.dataset.renew;
      card.dataset.of = code.of;
      if (!code.renew) delete card.dataset.renew;
      bar.max = code.life;
      count(code.remaining);
      hush();
      listen();
      renewing = false;
    } catch {
      // The network is away. The stream finds out how it goes on.
    }
  }

  let timer = 0;
  let events = null;

  // listen asks for the state. The answer ends with the first change, so that
  // proxies that hold answers back delay nothing, and is asked for again.
  function listen() {
    clearTimeout(timer);
    if (events || leaving || document.hidden || !open()) return;
    const query = new URLSearchParams({ of: card.dataset.of, seen: card.dataset.state });
    const source = new EventSource(`events?${query}`);
    events = source;
    source.addEventListener("state", (e) => {
      if (events !== source) return;
      const { state, remaining } = JSON.parse(e.data);
      if (state === "gone") return leave(); // another tab was quicker
      if (state === "moved") return leave(again); // to the code of another tab
      count(remaining);
      if (state === card.dataset.state) return;
      show(state);
      hush();
      if (state === "approved") setTimeout(() => leave(), sight);
      else listen();
    });
    // It comes again by itself after a lost connection, but not after a
    // refusal.
    source.addEventListener("error", () => {
      if (events !== source || source.readyState !== EventSource.CLOSED) return;
      hush();
      timer = setTimeout(listen, 2000);
    });
  }

  // A tab out of sight gives its connection back: browsers allow few.
  function hush() {
    events?.close();
    events = null;
  }

  // A phone freezes a tab while its person is in the app. What the tab held
  // open may be dead then without a sign of it.
  function wake() {
    hush();
    listen();
  }

  addEventListener("pageshow", (e) => (leaving ||= e.persisted)); // see above
  addEventListener("visibilitychange", () => (document.hidden ? hush() : wake()));
  document.addEventListener("freeze", hush);
  document.addEventListener("resume", wake);
  addEventListener("online", wake);
  count(Number(card.dataset.remaining));
  if (card.dataset.state === "approved") setTimeout(() => leave(), sight);
  if (!open()) return;
  setInterval(() => open() && tick(), 1000);
  listen();
})();
