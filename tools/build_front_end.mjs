// Builds the browser libraries of the cockpit into src/chengmai/web/static/vendor/ (ignored by git,
// carried by the wheel). Run by `npm ci && npm run build`; nothing is fetched here.
//
// Result:  vendor/htmx.mjs  vendor/uplot.mjs  vendor/uplot.css
//          vendor/maplibre/maplibre-gl.mjs, maplibre-gl-worker.mjs, maplibre-gl.css
//          vendor/licences/<package>.txt      vendor/vendor.json (name, version, licence, bytes)

import { build } from "esbuild";
import { copyFile, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const vendor = join(root, "src", "chengmai", "web", "static", "vendor");

const bundles = [
  { from: "htmx.org/dist/htmx.esm.js", to: "htmx.mjs" },
  { from: "uplot/dist/uPlot.esm.js", to: "uplot.mjs" },
  { from: "uplot/dist/uPlot.min.css", to: "uplot.css" },
  { from: "maplibre-gl/dist/maplibre-gl.css", to: "maplibre/maplibre-gl.css" },
];

// MapLibre arrives minified, and its worker has to stay a file of its own: the content security
// policy allows no `blob:` workers.
const copies = [
  { from: "maplibre-gl/dist/maplibre-gl.mjs", to: "maplibre/maplibre-gl.mjs" },
  { from: "maplibre-gl/dist/maplibre-gl-worker.mjs", to: "maplibre/maplibre-gl-worker.mjs" },
];

async function packageNames() {
  const lock = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8"));
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path.startsWith("node_modules/") && !entry.dev)
    .map(([path, entry]) => ({
      name: path.slice("node_modules/".length),
      version: entry.version,
      licence: entry.license ?? "see licence file",
    }));
}

async function copyLicence({ name }) {
  const files = await readdir(join(modules, name));
  const licence = files.find((file) => /^(licen[cs]e|copying)/i.test(file));
  if (!licence) return false;
  const target = join(vendor, "licences", `${name.replace("/", "+")}.txt`);
  await copyFile(join(modules, name, licence), target);
  return true;
}

await rm(vendor, { recursive: true, force: true });
await mkdir(join(vendor, "maplibre"), { recursive: true });
await mkdir(join(vendor, "licences"), { recursive: true });

for (const { from, to } of bundles) {
  await build({
    entryPoints: [join(modules, from)],
    outfile: join(vendor, to),
    bundle: true,
    minify: true,
    format: to.endsWith(".css") ? undefined : "esm",
    target: "es2022",
    legalComments: "inline",
    loader: { ".svg": "dataurl" },
    logLevel: "warning",
  });
}
for (const { from, to } of copies) {
  // The source map is not shipped, so the line that names it must go.
  const text = await readFile(join(modules, from), "utf8");
  await writeFile(join(vendor, to), text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n"));
}

const packages = await packageNames();
const missing = [];
for (const entry of packages) if (!(await copyLicence(entry))) missing.push(entry.name);

const files = {};
for (const { to } of [...bundles, ...copies]) files[to] = (await stat(join(vendor, to))).size;
await writeFile(join(vendor, "vendor.json"), JSON.stringify({ packages, files }, null, 2) + "\n");

for (const [name, bytes] of Object.entries(files)) {
  console.log(`${String(Math.round(bytes / 1024)).padStart(6)} kB  ${name}`);
}
if (missing.length) console.log(`no licence file in: ${missing.join(", ")} (see vendor.json)`);
