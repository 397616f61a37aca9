// Starts what every page has: live updates and keys. Pages work without any of it.
import { startKeys } from "chengmai/keys";
import { startLive } from "chengmai/live";

const vendor = document.body.hasAttribute("data-vendor");
if (vendor) await import("htmx").catch(() => document.body.removeAttribute("data-vendor"));
startKeys();
if (document.body.dataset.live) startLive(document.body.dataset.live, document.body.dataset.liveLast);

// The personal menu closes when attention goes elsewhere.
const menu = document.querySelector("details.menu");
document.addEventListener("click", (event) => {
  if (menu?.open && !menu.contains(event.target)) menu.open = false;
});
document.documentElement.dataset.ready = "page";
