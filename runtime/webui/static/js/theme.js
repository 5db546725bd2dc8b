// Before the first paint: the theme that was chosen here, else the machine's own.
(() => {
  const root = document.documentElement;
  const machine = () => (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
  const kept = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const show = () => { root.dataset.theme = kept() || machine(); };
  show();
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => {
    show();
    dispatchEvent(new Event("themechange"));
  });
  window.toggleTheme = () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* it holds for this page only */ }
    dispatchEvent(new Event("themechange"));
  };
})();
