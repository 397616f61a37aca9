// The map in the browser: the same shapes and places as the server's picture, to move and to zoom.
// No tiles, no glyph files, no sprites: labels use the device's own fonts, marks are drawn here.
import * as maplibre from "maplibre-gl";

const CLUSTER_ABOVE = 5000;
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const FONTS = ["Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "sans-serif"];

class CityMap extends HTMLElement {
  async connectedCallback() {
    if (this.map || !webgl()) return;
    const data = await this.read();
    if (!data) return;
    maplibre.setWorkerUrl(new URL(this.dataset.worker, location.href).href);
    const canvas = document.createElement("div");
    canvas.className = "map-live";
    this.prepend(canvas);
    this.draw(canvas, data);
  }

  disconnectedCallback() {
    this.map?.remove();
    document.removeEventListener("chengmai:news", this.news);
  }

  async read() {
    const answer = await fetch(this.dataset.src).catch(() => null);
    return answer?.ok ? answer.json() : null;
  }

  draw(canvas, data) {
    const lang = this.dataset.lang === "en" ? "en" : "zh";
    this.map = new maplibre.Map({
      container: canvas,
      style: style(data, lang),
      bounds: extent([...data.base.features, ...data.places.features]),
      fitBoundsOptions: { padding: 24, maxZoom: 13 },
      attributionControl: false,
      locale: {
        "Map.Title": this.dataset.label,
        "NavigationControl.ZoomIn": this.dataset.zoomIn,
        "NavigationControl.ZoomOut": this.dataset.zoomOut,
      },
      dragRotate: false,
      pitchWithRotate: false,
      fadeDuration: 0,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
    for (const level of ["act", "watch", "unknown", "normal"]) this.map.addImage(level, mark(level), { pixelRatio: 2 });
    this.map.on("click", "places", (event) => location.assign(event.features[0].properties.href));
    this.map.on("mousemove", "places", (event) => this.hint(event));
    this.map.on("mouseleave", "places", () => this.popup?.remove());
    this.map.once("idle", () => {
      const plain = this.querySelector(".map-plain");
      plain?.remove();
      this.dataset.ready = "map";
    });
    this.news = (event) => this.heard(event.detail);
    document.addEventListener("chengmai:news", this.news);
  }

  hint(event) {
    const { title, area, word } = event.features[0].properties;
    const text = document.createElement("span");
    text.textContent = `${word} · ${title} · ${area}`;
    this.popup ??= new maplibre.Popup({ closeButton: false, offset: 12 });
    this.popup.setLngLat(event.lngLat).setDOMContent(text).addTo(this.map);
    this.map.getCanvas().style.cursor = "pointer";
  }

  heard({ topic }) {
    if (!this.dataset.topic.split(" ").includes(topic)) return;
    clearTimeout(this.due);
    this.due = setTimeout(async () => {
      const data = await this.read();
      if (data) this.map.getSource("places").setData(data.places);
    }, 1_500);
  }
}

function webgl() {
  return Boolean(document.createElement("canvas").getContext("webgl2"));
}

function style(data, lang) {
  const kind = (name) => ["==", ["get", "kind"], name];
  const district = ["any", kind("district"), ["!", ["has", "kind"]]];
  return {
    version: 8,
    sources: {
      grid: { type: "geojson", data: graticule(extent([...data.base.features, ...data.places.features])) },
      base: { type: "geojson", data: data.base },
      places: { type: "geojson", data: data.places, cluster: data.places.features.length > CLUSTER_ABOVE, clusterRadius: 40 },
    },
    layers: [
      { id: "land", type: "background", paint: { "background-color": token("--map-land") } },
      { id: "district", type: "fill", source: "base", filter: district, paint: { "fill-color": token("--map-district") } },
      { id: "park", type: "fill", source: "base", filter: kind("park"), paint: { "fill-color": token("--map-park") } },
      { id: "water", type: "fill", source: "base", filter: kind("water"), paint: { "fill-color": token("--map-water") } },
      { id: "river", type: "line", source: "base", filter: kind("river"), layout: { "line-join": "round" }, paint: { "line-color": token("--map-water"), "line-width": 6 } },
      { id: "edge", type: "line", source: "base", filter: district, paint: { "line-color": token("--map-edge") } },
      { id: "road", type: "line", source: "base", filter: kind("road"), paint: { "line-color": token("--map-road"), "line-width": 2 } },
      { id: "rail", type: "line", source: "base", filter: kind("rail"), paint: { "line-color": token("--map-edge"), "line-width": 2, "line-dasharray": [3, 2] } },
      { id: "grid", type: "line", source: "grid", paint: { "line-color": token("--map-edge"), "line-width": 0.5, "line-dasharray": [2, 4] } },
      {
        id: "names", type: "symbol", source: "base", filter: district,
        layout: { "text-field": ["coalesce", ["get", `name:${lang}`], ["get", "name"], ""], "text-size": 14, "text-font": FONTS },
        paint: { "text-color": token("--muted"), "text-halo-color": token("--map-district"), "text-halo-width": 1.5 },
      },
      {
        id: "places", type: "symbol", source: "places",
        layout: {
          "icon-image": ["coalesce", ["get", "level"], "act"], "icon-allow-overlap": true, "icon-ignore-placement": true,
          "symbol-sort-key": ["-", 9, ["coalesce", ["get", "rank"], 0]],
          "text-field": ["case", ["has", "point_count"], ["to-string", ["get", "point_count"]], ""],
          "text-size": 14, "text-offset": [1, 0], "text-anchor": "left", "text-optional": true, "text-font": FONTS,
        },
        paint: { "text-color": token("--ink"), "text-halo-color": token("--surface"), "text-halo-width": 2 },
      },
    ],
  };
}

// The fixed shapes: diamond act, triangle watch, hatched ring unknown, dot normal. Drawn at twice the size.
function mark(level) {
  const size = 44;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const pen = canvas.getContext("2d");
  pen.translate(size / 2, size / 2);
  pen.lineWidth = 3;
  pen.strokeStyle = token("--surface");
  pen.fillStyle = token({ act: "--act", watch: "--watch-mark", unknown: "--surface" }[level] ?? "--line-strong");
  pen.beginPath();
  if (level === "act") for (const [x, y] of [[0, -17], [17, 0], [0, 17], [-17, 0]]) pen.lineTo(x, y);
  else if (level === "watch") for (const [x, y] of [[0, -17], [17, 13], [-17, 13]]) pen.lineTo(x, y);
  else pen.arc(0, 0, level === "unknown" ? 14 : 8, 0, 7);
  pen.closePath();
  if (level === "unknown") pen.strokeStyle = token("--unknown");
  pen.fill();
  pen.stroke();
  if (level === "unknown") {
    pen.beginPath();
    for (const shift of [-6, 0, 6]) {
      pen.moveTo(-8 + shift, 8 + shift);
      pen.lineTo(8 + shift, -8 + shift);
    }
    pen.stroke();
  }
  return pen.getImageData(0, 0, size, size);
}

function extent(features) {
  const box = [180, 90, -180, -90];
  const visit = (item) => {
    if (typeof item[0] !== "number") return item.forEach(visit);
    box[0] = Math.min(box[0], item[0]);
    box[1] = Math.min(box[1], item[1]);
    box[2] = Math.max(box[2], item[0]);
    box[3] = Math.max(box[3], item[1]);
  };
  for (const { geometry } of features) if (geometry?.coordinates) visit(geometry.coordinates);
  return box[0] > box[2] ? [-1, -1, 1, 1] : box;
}

function graticule([west, south, east, north]) {
  const raw = Math.max(east - west, north - south, 0.01) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= raw);
  const lines = [];
  const pad = 6 * step;
  for (let x = Math.ceil((west - pad) / step); x * step <= east + pad; x += 1) lines.push([[x * step, south - pad], [x * step, north + pad]]);
  for (let y = Math.ceil((south - pad) / step); y * step <= north + pad; y += 1) lines.push([[west - pad, y * step], [east + pad, y * step]]);
  return { type: "Feature", properties: {}, geometry: { type: "MultiLineString", coordinates: lines } };
}

customElements.define("city-map", CityMap);
