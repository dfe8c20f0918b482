
"use strict";
(() => {
  const table = document.querySelector("table");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows]; // in the order of the file

  // Sorting: the header of each sortable column becomes a button.
  const headers = [...table.tHead.rows[0].cells].filter((header) => header.dataset.sort);
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const compare = {
    text: (a, b) => collator.compare(a, b),
    number: (a, b) => Number(a) - Number(b),
  };
  for (const header of headers) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sortBy(header));
    header.append(button);
  }
  table.classList.add("sortable");

  function sortBy(header) {
    const current = header.getAttribute("aria-sort") ?? header.dataset.before;
    const direction = current === "ascending" ? "descending" : "ascending";
    for (const each of headers) each.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", direction);
    const value = (row) => row.cells[header.cellIndex].dataset.value;
    const sign = direction === "ascending" ? 1 : -1;
    const order = compare[header.dataset.sort];
    body.append(...[...rows].sort((a, b) => sign * order(value(a), value(b))));
  }

  // Filtering by the text of a row.
  const filter = document.querySelector(".filter");
  const count = document.querySelector(".count");
  const all = count.textContent;
  filter.hidden = false;
  filter.querySelector("input").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = shown === rows.length ? all : `${shown} of ${rows.length} maps`;
  });

  // Enlarging: both pictures of a row side by side, the next row with the arrow keys.
  const dialog = document.querySelector("dialog");
  const [back, forth, close] = dialog.querySelectorAll("button");
  let opened = null;
  for (const row of rows) {
    for (const view of row.querySelectorAll(".view")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "enlarge";
      view.replaceWith(button);
      button.append(view);
      button.addEventListener("click", () => { show(row); dialog.showModal(); });
    }
  }

  function show(row) {
    opened = row;
    const [image, label, score] = row.querySelectorAll("bdi, .score");
    dialog.querySelector("p").textContent = `${image.textContent}: ${label.textContent}, ${score.textContent}`;
    const views = [...row.querySelectorAll(".view")].map((view) => view.cloneNode(true));
    dialog.querySelector(".large").replaceChildren(...views);
    back.disabled = !neighbour(-1);
    forth.disabled = !neighbour(1);
  }

  function neighbour(step) {
    const shown = [...body.rows].filter((row) => !row.hidden);
    return shown[shown.indexOf(opened) + step];
  }

  function move(step) {
    const row = neighbour(step);
    if (row) show(row);
  }

  back.addEventListener("click", () => move(-1));
  forth.addEventListener("click", () => move(1));
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") move(-1);
    if (event.key === "ArrowRight") move(1);
  });
})();
