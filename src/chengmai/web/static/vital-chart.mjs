// The chart in the browser: the same data as the server's drawing, to point at and to zoom into.
// A canvas says nothing to a screen reader, so it is hidden from one; the sentence and the table stay.
import uPlot from "uplot";

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const seconds = (text) => Date.parse(text) / 1000;
const GAP_STEPS = 3;

class VitalChart extends HTMLElement {
  async connectedCallback() {
    if (this.plot) return;
    const data = await this.read();
    if (!data || data.history.points.length < 2) return;
    this.thresholds = [...this.querySelectorAll("[data-threshold]")].map((item) => ({
      value: Number(item.dataset.threshold), level: item.dataset.level, label: item.textContent,
    }));
    this.instants = this.formatters();
    this.canvas = document.createElement("div");
    this.canvas.setAttribute("aria-hidden", "true");
    this.readout = document.createElement("p");
    this.readout.className = "readout";
    this.canvas.append(this.readout);
    for (const child of this.children) child.hidden = true;
    this.prepend(this.canvas);
    this.draw(data);
    this.watcher = new ResizeObserver(() => this.plot.setSize(this.size()));
    this.watcher.observe(this);
    this.news = (event) => this.heard(event.detail);
    document.addEventListener("chengmai:news", this.news);
    this.dataset.ready = "chart";
  }

  disconnectedCallback() {
    document.removeEventListener("chengmai:news", this.news);
    this.watcher?.disconnect();
    this.plot?.destroy();
  }

  async read() {
    const answer = await fetch(this.dataset.src).catch(() => null);
    return answer?.ok ? answer.json() : null;
  }

  formatters() {
    const lang = this.dataset.lang === "en" ? "en-GB" : "zh-CN";
    const zone = { timeZone: this.dataset.zone };
    const day = lang === "en-GB" ? { day: "numeric", month: "short" } : { day: "numeric", month: "long" };
    return {
      clock: new Intl.DateTimeFormat("en-GB", { ...zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
      day: new Intl.DateTimeFormat(lang, { ...zone, ...day }),
    };
  }

  size() {
    return { width: this.clientWidth, height: this.clientWidth < 600 ? 250 : 320 };
  }

  heard({ topic, data }) {
    if (topic !== this.dataset.topic || (data.id && data.id !== this.sign)) return;
    clearTimeout(this.due);
    this.due = setTimeout(async () => {
      const fresh = await this.read();
      const reading = this.plot.cursor.left > 0;
      if (fresh && !reading) this.plot.setData(this.columns(fresh));
    }, 1_500);
  }

  draw(data) {
    const { id, unit, decimals } = data.vital.card;
    Object.assign(this, { sign: id, unit, decimals });
    const hidden = { stroke: "transparent", width: 0, points: { show: false } };
    const narrow = this.clientWidth < 600;
    const axis = {
      stroke: token("--muted"), font: `14px ${getComputedStyle(this).fontFamily}`,
      grid: { stroke: token("--chart-grid"), width: 1 }, ticks: { show: false },
    };
    this.plot = new uPlot({
      ...this.size(),
      legend: { show: false },
      padding: [16, 28, 0, 0],
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), this.dataset.zone),
      series: [
        {}, hidden, hidden, hidden, hidden,
        { stroke: token("--chart-ahead"), width: 2, dash: [6, 4], points: { show: false } },
        { stroke: token("--chart-line"), width: 1.6, points: { show: false } },
      ],
      bands: [
        { series: [2, 1], fill: token("--chart-usual") },
        { series: [4, 3], fill: token("--chart-ahead-soft") },
      ],
      axes: [
        { ...axis, values: (_, splits, __, ___, step) => splits.map((at) => this.tick(at, step)), space: narrow ? 70 : 90, size: 34 },
        { ...axis, size: narrow ? 44 : 58 },
      ],
      scales: { y: { range: (_, low, high) => this.valueRange(low, high) } },
      hooks: {
        drawClear: [(plot) => this.drawDoubt(plot), (plot) => this.drawSilence(plot)],
        draw: [(plot) => this.drawThresholds(plot)],
        setCursor: [(plot) => this.tell(plot)],
      },
      cursor: { drag: { x: true, y: false } },
    }, this.columns(data), this.canvas);
  }

  // One aligned table: time, usual low and high, expected low and high, expected median, observed.
  columns({ vital, history, now }) {
    const points = history.points.map((p) => ({ at: seconds(p.at), value: p.value }));
    this.silences = silences(points);
    this.doubt = vital.fault ? [seconds(vital.fault.since), seconds(now)] : null;
    const broken = [...points, ...this.silences.map(([from]) => ({ at: from + 1, value: null }))];
    broken.sort((a, b) => a.at - b.at);
    const usual = history.baseline;
    const limit = seconds(now) + seconds(history.end) - seconds(history.start);
    const ahead = (vital.forecast?.shown ? vital.forecast.points : [])
      .filter((p) => seconds(p.at) <= limit && seconds(p.at) >= seconds(now));
    const pick = (list, name) => list.map((p) => p[name]);
    const at = (list) => list.map((p) => seconds(p.at));
    return uPlot.join([
      [at(usual), pick(usual, "low"), pick(usual, "high")],
      [at(ahead), pick(ahead, "low"), pick(ahead, "high"), pick(ahead, "median")],
      [pick(broken, "at"), pick(broken, "value")],
    ], [[1, 1, 1], [1, 1, 1, 1], [1, 2]]);
  }

  // A threshold joins when it lies within one data range; a far one would flatten the line.
  valueRange(low, high) {
    if (low == null) return [0, 1];
    const reach = high - low || Math.abs(low) || 1;
    const near = this.thresholds.map((line) => line.value).filter((value) => value >= low - reach && value <= high + reach);
    const [bottom, top] = [Math.min(low, ...near), Math.max(high, ...near)];
    const pad = (top - bottom || 1) * 0.06;
    return [bottom - pad, top + pad];
  }

  // The readings of a suspected sensor lie on a tint of their own.
  drawDoubt({ ctx, bbox, valToPos }) {
    if (!this.doubt) return;
    const [left, right] = this.doubt.map((at) => Math.min(Math.max(valToPos(at, "x", true), bbox.left), bbox.left + bbox.width));
    ctx.save();
    ctx.globalAlpha = 0.13;
    ctx.fillStyle = token("--watch-mark");
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    ctx.restore();
  }

  drawSilence({ ctx, bbox, valToPos }) {
    ctx.save();
    ctx.beginPath();
    for (const [from, to] of this.silences) {
      const left = Math.max(valToPos(from, "x", true), bbox.left);
      const right = Math.min(valToPos(to, "x", true), bbox.left + bbox.width);
      if (right > left) ctx.rect(left, bbox.top, right - left, bbox.height);
    }
    ctx.clip();
    ctx.beginPath();
    const step = 8 * devicePixelRatio;
    for (let x = bbox.left - bbox.height; x < bbox.left + bbox.width; x += step) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.globalAlpha = 0.45;
    ctx.strokeStyle = token("--unknown");
    if (this.silences.length) ctx.stroke();
    ctx.restore();
  }

  drawThresholds({ ctx, bbox, valToPos }) {
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `600 ${14 * ratio}px ${getComputedStyle(this).fontFamily}`;
    ctx.lineWidth = 1.5 * ratio;
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    for (const { value, level, label } of this.thresholds) {
      const y = valToPos(value, "y", true);
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.beginPath();
      ctx.strokeStyle = token(level === "act" ? "--act" : "--watch-mark");
      ctx.fillStyle = token(level === "act" ? "--act" : "--watch");
      ctx.setLineDash(level === "act" ? [] : [10 * ratio, 4 * ratio]);
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.fillText(label, bbox.left + 6 * ratio, y - 5 * ratio);
    }
    ctx.restore();
  }

  tell({ cursor, data }) {
    const index = cursor.idx;
    if (index == null || cursor.left < 0) {
      this.readout.textContent = this.dataset.hint;
      return;
    }
    const [at, low, high, least, most, median, observed] = data.map((column) => column[index]);
    const number = (value) => value.toFixed(this.decimals);
    const parts = [`${this.instants.day.format(at * 1000)} ${this.instants.clock.format(at * 1000)}`];
    if (observed != null) parts.push(`${this.dataset.observed} ${number(observed)} ${this.unit}`);
    if (low != null) parts.push(`${this.dataset.usual} ${number(low)} – ${number(high)}`);
    if (median != null) parts.push(`${this.dataset.expected} ${number(median)} (${number(least)} – ${number(most)})`);
    this.readout.textContent = parts.join("    ");
  }

  tick(at, step) {
    const clock = this.instants.clock.format(at * 1000);
    return step < 86400 && clock !== "00:00" ? clock : this.instants.day.format(at * 1000);
  }
}

// Where neighbours lie further apart than three usual steps: silence must be seen.
function silences(points) {
  const steps = points.slice(1).map((p, i) => p.at - points[i].at).sort((a, b) => a - b);
  const limit = GAP_STEPS * (steps[steps.length >> 1] ?? Infinity);
  return points.slice(1).flatMap((p, i) => (p.at - points[i].at > limit ? [[points[i].at, p.at]] : []));
}

customElements.define("vital-chart", VitalChart);
