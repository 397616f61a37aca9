// One stream of news for the page. News never carries content: it says which parts of the page to fetch anew.
// After 30 s of silence the bar says since when the page is not live; a silent screen is the worst screen.

const SILENCE_MS = 30_000;
const SETTLE_MS = 1_500;
const HIDDEN_MS = 60_000;

// `last` is the newest news when the page was made: what came between then and now is told first.
export function startLive(address, last) {
  const sign = document.querySelector("[data-live-state]");
  const words = sign?.querySelector("[data-live-words]");
  const clock = startClock(document.querySelector("[data-clock]"));
  const waiting = new Set();
  let source = null;
  let heard = Date.now();
  let settle = 0;
  let hiding = 0;

  function show(state, text) {
    if (!sign || sign.dataset.state === state) return;
    sign.dataset.state = state;
    sign.className = `live is-${state}`;
    words.textContent = text;
  }

  function alive() {
    heard = Date.now();
    show("on", sign?.dataset.liveText);
  }

  function open() {
    const topics = new URLSearchParams({ topics: "vitals,cases,feeds" });
    if (last) topics.set("last", last);
    source = new EventSource(`${address}?${topics}`);
    source.addEventListener("heartbeat", (event) => {
      clock.set(JSON.parse(event.data).now);
      alive();
    });
    for (const topic of ["vitals", "cases", "feeds"]) {
      source.addEventListener(topic, (event) => {
        last = event.lastEventId;
        alive();
        changed(topic, JSON.parse(event.data));
      });
    }
    source.addEventListener("reload", (event) => {
      last = event.lastEventId;
      alive();
      refreshAll();
    });
  }

  function close() {
    source?.close();
    source = null;
  }

  function changed(topic, data) {
    document.dispatchEvent(new CustomEvent("chengmai:news", { detail: { topic, data } }));
    for (const part of document.querySelectorAll("[data-live-topic]")) {
      if (part.dataset.liveTopic.split(" ").includes(topic)) waiting.add(part);
    }
    settle ||= setTimeout(flush, SETTLE_MS);
  }

  function refreshAll() {
    for (const topic of ["vitals", "cases", "feeds"]) changed(topic, {});
  }

  function flush() {
    settle = 0;
    for (const part of waiting) if (part.isConnected && !busy(part)) refresh(part);
    waiting.clear();
  }

  setInterval(() => {
    if (!source || Date.now() - heard < SILENCE_MS) return;
    show("lost", sign?.dataset.lostText.replace("{time}", clock.at(heard)));
    if (source.readyState === EventSource.CLOSED) {
      close();
      open();
    }
  }, 1_000);

  // A browser allows six connections to one host for all its tabs: a tab that nobody sees lets go.
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(close, HIDDEN_MS);
    else if (!source) {
      heard = Date.now();
      open();
      refreshAll();
    }
  });
  open();
}

// A part in which somebody is writing or has a menu open is left alone.
function busy(part) {
  const active = document.activeElement;
  return part.contains(active) && active.matches("input, select, textarea");
}

async function refresh(part) {
  if (document.body.hasAttribute("data-vendor") && part.hasAttribute("hx-get")) {
    part.dispatchEvent(new CustomEvent("refresh"));
    return;
  }
  const answer = await fetch(part.dataset.liveSrc, { headers: { Accept: "text/html" } }).catch(() => null);
  if (answer?.status === 401) location.reload();
  if (!answer?.ok) return;
  const focused = part.contains(document.activeElement) ? focusPath(part) : null;
  part.innerHTML = await answer.text();
  if (focused !== null) part.querySelectorAll("a, button")[focused]?.focus();
}

function focusPath(part) {
  return [...part.querySelectorAll("a, button")].indexOf(document.activeElement);
}

// The city's clock: set by heartbeats, moved on between them at the city's rate.
function startClock(element) {
  if (!element) return { set() {}, at: (ms) => new Date(ms).toTimeString().slice(0, 5) };
  const rate = Number(element.dataset.rate) || 1;
  const zone = { timeZone: element.dataset.zone, hourCycle: "h23" };
  const lang = document.documentElement.lang;
  const day = new Intl.DateTimeFormat(lang === "en" ? "en-GB" : "zh-CN", { ...zone, dateStyle: lang === "en" ? "medium" : "long" });
  const time = new Intl.DateTimeFormat("en-GB", { ...zone, hour: "2-digit", minute: "2-digit" });
  let city = Date.parse(element.dateTime);
  let set = Date.now();
  const cityAt = (ms) => new Date(city + (ms - set) * rate);
  setInterval(() => {
    const now = cityAt(Date.now());
    const text = `${day.format(now)} ${time.format(now)}`;
    if (element.textContent !== text) element.textContent = text;
  }, 1_000);
  return {
    set(text) {
      city = Date.parse(text);
      set = Date.now();
    },
    at: (ms) => time.format(cityAt(ms)),
  };
}
