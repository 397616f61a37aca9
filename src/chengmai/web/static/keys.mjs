// Keys: j and k walk through a list, Enter opens, g and a letter go to a page, / searches, ? shows the keys.
// Single keys never act while somebody writes, nor together with Ctrl, Alt or Meta (WCAG 2.1.4: they can be
// avoided, and every one of them has a visible twin).

export function startKeys() {
  const dialog = document.querySelector("#keys");
  let going = 0;
  let picked = -1;

  const items = () => [...document.querySelectorAll("[data-item]")].filter((item) => item.offsetParent !== null);

  function pick(step) {
    const list = items();
    if (!list.length) return;
    const current = list.findIndex((item) => item.contains(document.activeElement));
    picked = Math.max(0, Math.min(list.length - 1, (current < 0 ? picked : current) + step));
    list[picked].querySelector("a")?.focus({ preventScroll: true, focusVisible: true });
    list[picked].scrollIntoView({ block: "nearest" });
  }

  function go(letter) {
    document.querySelector(`.rail [data-go="${CSS.escape(letter)}"]`)?.click();
  }

  function showKeys(event) {
    if (!dialog) return;
    event.preventDefault();
    dialog.showModal();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.target.closest("input, select, textarea") || dialog?.open) return;
    const key = event.key;
    if (Date.now() - going < 1_200 && /^[a-z]$/.test(key)) {
      going = 0;
      go(key);
    } else if (key === "g") going = Date.now();
    else if (key === "j") pick(1);
    else if (key === "k") pick(-1);
    else if (key === "?") showKeys(event);
    else if (key === "/") {
      event.preventDefault();
      document.querySelector("#search")?.focus();
    }
  });
  for (const link of document.querySelectorAll("[data-keys-open]")) link.addEventListener("click", showKeys);
}
