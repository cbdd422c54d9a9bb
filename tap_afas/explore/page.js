"use strict";
(() => {
  const all = [...document.querySelectorAll("article")];
  const list = document.getElementById("connectors");
  const [search, problem, sort, open, shown] = ["search", "problem", "sort", "open", "shown"].map((id) => document.getElementById(id));
  const language = () => document.documentElement.lang;
  const plain = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
  const orders = {
    by_worst: (a, b) => a.dataset.worst - b.dataset.worst,
    by_name: (a, b) => a.dataset.name.localeCompare(b.dataset.name),
    by_rows: (a, b) => b.dataset.rows - a.dataset.rows,
    by_seconds: (a, b) => b.dataset.seconds - a.dataset.seconds,
  };

  const show = () => {
    const words = plain(search.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const one of all) {
      const text = plain(one.dataset.search);
      const fits = words.every((word) => text.includes(word))
        && (!problem.value || one.dataset.codes.split(" ").includes(problem.value));
      one.hidden = !fits;
      count += fits;
    }
    shown.textContent = count ? shown.dataset[language()].replace("{shown}", count) : shown.dataset["nothing" + language()[0].toUpperCase() + language().slice(1)];
  };

  const speak = (chosen) => {
    document.documentElement.lang = chosen;
    for (const button of document.querySelectorAll("[data-language]")) button.setAttribute("aria-pressed", button.dataset.language === chosen);
    for (const one of document.querySelectorAll("option[data-en], .copy")) one.textContent = one.dataset[chosen];
    for (const one of document.querySelectorAll("a.link")) one.setAttribute("aria-label", one.getAttribute("data-label-" + chosen));
    document.title = document.querySelector(`h1 [lang="${chosen}"]`).textContent;
    show();
  };

  const openLinked = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || target.tagName !== "ARTICLE") return;
    search.value = problem.value = "";
    show();
    target.querySelector("details").open = true;
    target.scrollIntoView();
  };

  search.addEventListener("input", show);
  problem.addEventListener("change", show);
  sort.addEventListener("change", () => list.append(...[...all].sort(orders[sort.value])));
  search.form.addEventListener("submit", (event) => event.preventDefault());
  open.addEventListener("click", () => {
    const opened = open.getAttribute("aria-pressed") !== "true";
    open.setAttribute("aria-pressed", opened);
    for (const one of all) one.querySelector("details").open = opened && !one.hidden;
  });
  for (const button of document.querySelectorAll("[data-language]")) button.addEventListener("click", () => speak(button.dataset.language));
  for (const button of document.querySelectorAll(".copy")) button.addEventListener("click", async () => {
    const text = button.parentElement.querySelector("pre");
    try { await navigator.clipboard.writeText(text.textContent); }
    catch { getSelection().selectAllChildren(text); return; }
    button.textContent = button.getAttribute("data-done-" + language());
  });
  addEventListener("hashchange", openLinked);
  speak(language());
  openLinked();
})();
