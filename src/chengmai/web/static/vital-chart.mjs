// The chart in the browser: the same data as the server's drawing, to point at and to zoom into.
// A canvas says nothing to a screen reader, so it is hidden from one; sentence and table stay.
import uPlot from "uplot";

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const seconds = (text) => Date.parse(text) / 1000;

class VitalChart extends HTMLElement {
  async connectedCallback() {
    if (this.plot) return;
    const data = await this.read();
    if (!data || data.history.points.length < 2) return;
    this.words = JSON.parse(this.dataset.words);
    this.canvas = document.createElement("div");
    this.canvas.setAttribute("aria-hidden", "true");
    this.firstElementChild.hidden = true;
    this.prepend(this.canvas);
    this.draw(data);
    new ResizeObserver(() => this.plot.setSize(this.size())).observe(this);
    document.addEventListener("chengmai:news", (this.news = (event) => this.heard(event.detail)));
    this.dataset.ready = "chart";
  }

  disconnectedCallback() {
    document.removeEventListener("chengmai:news", this.news);
    this.plot?.destroy();
  }

  async read() {
    const answer = await fetch(this.dataset.src).catch(() => null);
    return answer?.ok ? answer.json() : null;
  }

  size() {
    return { width: this.clientWidth, height: this.clientWidth < 600 ? 240 : 320 };
  }

  heard({ topic, data }) {
    if (topic !== this.dataset.topic || (data.id && data.id !== this.id_)) return;
    clearTimeout(this.due);
    this.due = setTimeout(async () => {
      const fresh = await this.read();
      if (!fresh || this.plot.cursor.left > 0) return; // nobody's reading is pulled away
      this.bands = bandsInForce(fresh);
      this.plot.setData(columns(fresh));
    }, 1_500);
  }

  draw(data) {
    this.id_ = data.vital.card.id;
    this.bands = bandsInForce(data);
    const { unit, decimals } = data.vital.card;
    const zone = this.dataset.zone;
    const text = (value) => (value == null ? "–" : `${value.toFixed(decimals)}${unit ? ` ${unit}` : ""}`);
    const line = { stroke: token("--chart-line"), width: 1.6, points: { show: false }, spanGaps: false };
    const none = { stroke: "transparent", width: 0, points: { show: false } };
    const ahead = { stroke: token("--chart-ahead"), width: 2, dash: [6, 4], points: { show: false } };
    const value = (_, raw) => text(raw);
    const font = `14px ${token("--font")}`;
    const axis = { stroke: token("--muted"), font, grid: { stroke: token("--chart-grid"), width: 1 }, ticks: { show: false } };
    this.plot = new uPlot({
      ...this.size(),
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), zone),
      series: [
        { label: this.words.at, value: (_, at) => (at == null ? "–" : this.instant(at)) },
        { ...none, label: `${this.words.usual} ${this.words.low}`, value },
        { ...none, label: `${this.words.usual} ${this.words.high}`, value },
        { ...none, label: `${this.words.expected} ${this.words.low}`, value },
        { ...none, label: `${this.words.expected} ${this.words.high}`, value },
        { ...ahead, label: this.words.expected, value },
        { ...line, label: this.words.observed, value },
      ],
      bands: [
        { series: [2, 1], fill: token("--chart-usual") },
        { series: [4, 3], fill: token("--chart-ahead-soft") },
      ],
      axes: [
        { ...axis, values: (_, splits, __, ___, step) => splits.map((at) => this.tick(at, step)), space: 90, size: 34 },
        { ...axis, size: 58 },
      ],
      scales: { y: { range: (_, low, high) => this.valueRange(low, high) } },
      hooks: { draw: [(plot) => this.thresholds(plot)] },
      cursor: { drag: { x: true, y: false } },
    }, columns(data), this.canvas);
  }

  valueRange(low, high) {
    if (low == null) return [0, 1];
    const reach = high - low || Math.abs(low) || 1;
    const near = this.bands.map((band) => band.value).filter((value) => value >= low - reach && value <= high + reach);
    const bottom = Math.min(low, ...near);
    const top = Math.max(high, ...near);
    const pad = (top - bottom || 1) * 0.06;
    return [bottom - pad, top + pad];
  }

  thresholds(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    for (const { value, level } of this.bands) {
      const y = plot.valToPos(value, "y", true);
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.beginPath();
      ctx.strokeStyle = token(level === "act" ? "--act" : "--watch-mark");
      ctx.lineWidth = 1.5 * devicePixelRatio;
      ctx.setLineDash(level === "act" ? [] : [10 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }

  instant(at) {
    const lang = this.dataset.lang === "en" ? "en-GB" : "zh-CN";
    const day = new Intl.DateTimeFormat(lang, { timeZone: this.dataset.zone, dateStyle: lang === "en-GB" ? "medium" : "long" });
    return `${day.format(at * 1000)} ${this.clock(at)}`;
  }

  clock(at) {
    return new Intl.DateTimeFormat("en-GB", { timeZone: this.dataset.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at * 1000);
  }

  tick(at, step) {
    const clock = this.clock(at);
    if (step < 86400 && clock !== "00:00") return clock;
    const lang = this.dataset.lang === "en" ? "en-GB" : "zh-CN";
    const month = lang === "en-GB" ? "short" : "long";
    return new Intl.DateTimeFormat(lang, { timeZone: this.dataset.zone, day: "numeric", month }).format(at * 1000);
  }
}

function bandsInForce({ vital }) {
  return vital.bands.filter((band) => band.in_force).map((band) => ({ value: band.above ?? band.below, level: band.level }));
}

// One aligned table of time, usual low and high, expected low and high, expected median, observed.
function columns({ vital, history, now }) {
  const points = withGaps(history.points);
  const observed = [points.map((p) => p.at), points.map((p) => p.value)];
  const usual = [history.baseline.map((p) => seconds(p.at)), history.baseline.map((p) => p.low), history.baseline.map((p) => p.high)];
  const limit = seconds(now) + (seconds(history.end) - seconds(history.start));
  const ahead = (vital.forecast?.shown ? vital.forecast.points : []).filter((p) => seconds(p.at) <= limit && seconds(p.at) >= seconds(now));
  const expected = [ahead.map((p) => seconds(p.at)), ahead.map((p) => p.low), ahead.map((p) => p.high), ahead.map((p) => p.median)];
  return uPlot.join([usual, expected, observed], [[1, 1, 1], [1, 1, 1, 1], [1, 1]]);
}

// Points further apart than three usual steps are not joined: silence must be seen.
function withGaps(points) {
  const series = points.map((p) => ({ at: seconds(p.at), value: p.value }));
  const steps = series.slice(1).map((p, i) => p.at - series[i].at).sort((a, b) => a - b);
  const limit = 3 * (steps[steps.length >> 1] ?? Infinity);
  return series.flatMap((p, i) => (i && p.at - series[i - 1].at > limit ? [{ at: p.at - 1, value: null }, p] : [p]));
}

customElements.define("vital-chart", VitalChart);
