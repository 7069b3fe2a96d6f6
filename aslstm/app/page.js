// Runs when the page opens and when its language changes. {PAGES} holds the texts of each language, {LIMIT} the largest upload.
(language) => {
  const texts = {PAGES}[language];
  document.documentElement.lang = texts.lang;
  document.documentElement.style.setProperty("--hint", JSON.stringify(texts.hint));
  // Whoever hears the page is told the answer in one sentence. Gradio has no property for this.
  document.querySelector("#spoken").setAttribute("aria-live", "polite");
  document.querySelector("#file input[type=file]")?.setAttribute("aria-label", texts.hint);
  document.querySelector("#language")?.setAttribute("aria-label", "语言 / Language");
  window.aslstmTexts = texts;
  if (window.aslstmListens) return;
  window.aslstmListens = true;
  // Gradio refuses a large file in English only, so it does not see one.
  const refuse = (event) => {
    const files = event.dataTransfer?.files ?? event.target.files ?? [];
    if (!event.target.closest?.("#file") || !files.length) return;
    document.querySelector("#large")?.remove();
    if (files[0].size <= {LIMIT}) return;
    event.stopPropagation();
    event.preventDefault();
    const told = Object.assign(document.createElement("p"), {id: "large", className: "error", textContent: window.aslstmTexts.large});
    told.setAttribute("role", "alert");
    document.querySelector("#file").after(told);
  };
  document.addEventListener("change", refuse, true);
  document.addEventListener("drop", refuse, true);
}
