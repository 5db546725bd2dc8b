// Before the first paint: the reader's theme and language, or those chosen here before.
(() => {
  const root = document.documentElement;
  const kept = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* it holds for this page only */ } };
  const machine = matchMedia("(prefers-color-scheme: light)");
  const show = () => { root.dataset.theme = kept("theme") || (machine.matches ? "light" : "dark"); };
  show();
  root.lang = kept("language") || (navigator.language.startsWith("fr") ? "fr" : "en");
  machine.addEventListener("change", () => { show(); dispatchEvent(new Event("themechange")); });
  addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", () => {
      root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
      keep("theme", root.dataset.theme);
      dispatchEvent(new Event("themechange"));
    });
    document.getElementById("language").addEventListener("click", () => {
      root.lang = root.lang === "fr" ? "en" : "fr";
      keep("language", root.lang);
      dispatchEvent(new Event("themechange"));
    });
  });
})();
