// Keeps a page as it would be after a reload, without reloading it: the server
// says when something has changed, and then the page is fetched and what differs
// is put in place. Without this script, the forms and a link to refresh do.
"use strict";

(() => {
  const live = document.getElementById("live");
  const liveText = document.getElementById("live-text");
  const spoken = document.getElementById("spoken");
  let shown = document.body.dataset.version; // the state that the page shows
  let source = null;
  let loading = false;
  let stale = false; // something has changed since the page was asked for

  // Screen readers say what sighted users see.
  function say(text) {
    spoken.textContent = text;
  }

  function setLive(state, text) {
    live.hidden = false;
    live.className = "live " + state;
    if (liveText.textContent !== text) liveText.textContent = text;
  }

  function connect() {
    if (source || document.hidden) return;
    source = new EventSource("/live");
    source.onmessage = (event) => {
      setLive("on", "Live");
      if (event.data !== shown) refresh();
    };
    source.onerror = () => {
      setLive("off", "Not connected: is mid-mock running?");
      if (source && source.readyState === EventSource.CLOSED) {
        disconnect();
        setTimeout(connect, 3000);
      }
    };
  }

  // A page that is hidden gives its connection back: browsers allow few.
  function disconnect() {
    if (source) source.close();
    source = null;
  }

  async function refresh() {
    stale = true;
    if (loading) return;
    loading = true;
    try {
      while (stale) {
        stale = false;
        const answer = await fetch(location.pathname);
        if (!answer.ok) return location.reload(); // it has been forgotten
        apply(await answer.text());
      }
    } catch {
      setLive("off", "Not connected: is mid-mock running?");
    } finally {
      loading = false;
    }
  }

  function apply(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    shown = page.body.dataset.version;
    const news = [];
    for (const fresh of page.querySelectorAll("[data-list]")) {
      const list = document.getElementById(fresh.id);
      if (list) mergeList(list, fresh, news);
    }
    for (const fresh of page.querySelectorAll("[data-swap], h2")) {
      const old = document.getElementById(fresh.id);
      if (old && old.innerHTML !== fresh.innerHTML) old.replaceChildren(...fresh.childNodes);
    }
    if (news.length) say(news.slice(0, 3).join(". "));
    tick();
  }

  // Keeps what has not changed.
  function mergeList(list, fresh, news) {
    let at = list.firstElementChild;
    for (const item of [...fresh.children]) {
      const old = document.getElementById(item.id);
      if (old && old.dataset.state === item.dataset.state) {
        if (old === at) at = at.nextElementSibling;
        else list.insertBefore(old, at);
        continue;
      }
      if (old && old === at) at = at.nextElementSibling;
      const focused = old && old.contains(document.activeElement) ? document.activeElement.id : null;
      if (old) {
        carryOver(old, item);
        old.remove();
      }
      list.insertBefore(item, at);
      news.push(item.dataset.say);
      if (focused !== null) focusIn(item, focused);
    }
    while (at) {
      const gone = at;
      at = at.nextElementSibling;
      gone.remove();
    }
  }

  // What is open stays open, and what was typed stays typed.
  function carryOver(old, item) {
    const open = [...old.querySelectorAll("details")].map((details) => details.open);
    item.querySelectorAll("details").forEach((details, i) => (details.open = open[i] ?? false));
    for (const typed of old.querySelectorAll("input[id]")) {
      const field = item.querySelector("#" + CSS.escape(typed.id));
      if (field) field.value = typed.value;
    }
  }

  // The focus stays where it was, or goes to the item if its button has gone.
  function focusIn(item, id) {
    const same = id && document.getElementById(id);
    if (!same) item.tabIndex = -1;
    (same || item).focus({ preventScroll: true });
  }

  // A decision, sent without leaving the page.
  async function submit(event) {
    const form = event.target;
    if (form.method !== "post" || !shown) return;
    event.preventDefault();
    const button = event.submitter;
    if (button) {
      if (button.getAttribute("aria-busy")) return;
      button.setAttribute("aria-busy", "true");
    }
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      if (!answer.ok) say("This was not possible any more.");
      await refresh();
    } catch {
      setLive("off", "Not connected: is mid-mock running?");
    } finally {
      if (button) button.removeAttribute("aria-busy");
    }
  }

  function tick() {
    for (const time of document.querySelectorAll("time[data-countdown]")) {
      const text = "in " + duration(new Date(time.dateTime) - Date.now());
      if (time.textContent !== text) time.textContent = text;
    }
  }

  function duration(milliseconds) {
    const seconds = Math.max(Math.round(milliseconds / 1000), 0);
    const minutes = Math.floor(seconds / 60);
    if (minutes >= 60) return Math.floor(minutes / 60) + " h " + (minutes % 60) + " min";
    return minutes + ":" + String(seconds % 60).padStart(2, "0");
  }

  function offerCopy(button) {
    button.hidden = !navigator.clipboard; // it exists only on loopback and https
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
        button.textContent = "Copied";
        say("Copied");
      } catch {
        button.textContent = "Copying is not allowed";
      }
    });
  }

  document.querySelectorAll("[data-copy]").forEach(offerCopy);
  if (!shown) return;
  document.addEventListener("submit", submit);
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
  window.addEventListener("pageshow", connect);
  window.addEventListener("pagehide", disconnect);
  setInterval(tick, 1000);
  tick();
  connect();
})();
