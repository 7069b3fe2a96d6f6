"use strict";
// The list of posts: unpacked once, then filtered and shown a page at a time. Posts are put in as text, never as HTML.
(async () => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const words = data.controls;
  const field = (name) => document.getElementById("filter-" + name);
  const form = document.getElementById("filters");
  const body = document.getElementById("rows");
  const perPage = 25;
  let posts = null;
  let found = [];
  let page = 0;
  // As the words of the charts are spelled: in small letters, without full-width forms.
  const key = (text) => text.normalize("NFKC").toLowerCase();

  const unpack = async () => {
    const bytes = Uint8Array.from(atob(data.posts), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    posts = await new Response(stream).json();
    posts.keys = posts.texts.map(key);
  };

  const filter = () => {
    const wanted = key(field("search").value.trim());
    const label = field("label").value;
    const group = field("group") ? field("group").value : "";
    const from = field("from") ? field("from").value : "";
    const to = field("to") ? field("to").value : "";
    const score = Number(field("score").value) || 0;
    const order = field("order").value;
    found = [];
    for (let i = 0; i < posts.texts.length; i++) {
      const day = posts.days[i] || "";
      if (label !== "" && posts.labels[i] !== Number(label)) continue;
      if (group !== "" && posts.groups[i] !== Number(group)) continue;
      if ((from && day < from) || (to && (!day || day > to))) continue;
      if (posts.scores[i] < score || !posts.keys[i].includes(wanted)) continue;
      found.push(i);
    }
    if (order === "score") found.sort((a, b) => posts.scores[b] - posts.scores[a] || a - b);
    if (order === "day") found.sort((a, b) => (posts.days[b] || "").localeCompare(posts.days[a] || "") || a - b);
    page = 0;
    show();
  };

  const marked = (text, wanted) => {
    const cell = document.createElement("td");
    cell.className = "body";
    const at = wanted ? text.toLowerCase().indexOf(wanted) : -1;
    if (at < 0) { cell.textContent = text; return cell; }
    const mark = document.createElement("mark");
    mark.textContent = text.slice(at, at + wanted.length);
    cell.append(text.slice(0, at), mark, text.slice(at + wanted.length));
    return cell;
  };

  const plain = (text, kind) => {
    const cell = document.createElement("td");
    cell.className = kind;
    cell.textContent = text;
    return cell;
  };

  const row = (i, wanted) => {
    const line = document.createElement("tr");
    const label = plain("", "short");
    const dot = document.createElement("span");
    dot.className = "dot";
    dot.style.setProperty("--c", data.colors[posts.labels[i]]);
    label.append(dot, " " + data.labels[posts.labels[i]]);
    if (data.dated) line.append(plain(posts.days[i] || "", "short"));
    line.append(label, plain(posts.scores[i].toFixed(2), "number"));
    if (data.grouped) line.append(plain(posts.names[posts.groups[i]], "short"));
    line.append(marked(posts.texts[i], wanted));
    return line;
  };

  const show = () => {
    const pages = Math.max(1, Math.ceil(found.length / perPage));
    const wanted = key(field("search").value.trim());
    body.replaceChildren(...found.slice(page * perPage, (page + 1) * perPage).map((i) => row(i, wanted)));
    document.getElementById("found").textContent = words.found.replace("{found}", found.length.toLocaleString("en"));
    document.getElementById("page").textContent = words.page.replace("{page}", page + 1).replace("{pages}", pages);
    document.getElementById("previous").disabled = page === 0;
    document.getElementById("next").disabled = page + 1 >= pages;
  };

  const turn = (step) => { page += step; show(); document.getElementById("posts").scrollIntoView(); };

  const start = async () => {
    await unpack();
    if (field("group")) posts.names.forEach((name, i) => field("group").add(new Option(name, i)));
    form.hidden = false;
    document.getElementById("pager").hidden = false;
    document.getElementById("no-script").hidden = true;
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(filter));
    document.getElementById("previous").addEventListener("click", () => turn(-1));
    document.getElementById("next").addEventListener("click", () => turn(1));
    filter();
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.find");
    if (!button || !posts) return;
    form.reset();
    field("search").value = button.dataset.find;
    if (button.dataset.label) field("label").value = button.dataset.label;
    if (button.dataset.group && field("group")) field("group").value = posts.names.indexOf(button.dataset.group);
    filter();
    document.getElementById("posts").scrollIntoView();
    field("search").focus({ preventScroll: true });
  });

  for (const trend of document.querySelectorAll(".trend")) {
    const tip = trend.querySelector(".tip");
    const say = (event) => {
      const mark = event.target.closest("[aria-label]");
      if (mark && mark !== trend.querySelector("[role=img]")) tip.textContent = mark.getAttribute("aria-label");
    };
    trend.addEventListener("pointerover", say);
    trend.addEventListener("click", say);
  }

  await start();
})();
