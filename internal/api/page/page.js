// Behaviour of the pages: erase and print on the record, and the two forms.
"use strict";
(() => {
  const head = { "Yamori-CSRF": "1", "Content-Type": "application/json" };
  const says = document.querySelector("[role=status]");
  const say = (key, more) => { says.textContent = document.body.dataset[key] + (more ? " " + more : ""); };

  document.getElementById("print")?.addEventListener("click", () => window.print());

  const erase = document.getElementById("erase");
  erase?.addEventListener("click", async () => {
    if (!window.confirm(document.body.dataset.ask)) return;
    erase.disabled = true;
    say("busy");
    try {
      const res = await fetch(erase.dataset.url, { method: "DELETE", headers: head });
      if (!res.ok) throw new Error((await res.json()).detail || String(res.status));
      document.getElementById("stored").remove();
      say("done");
    } catch (e) {
      erase.disabled = false;
      say("fail", e.message);
    }
  });

  const form = document.querySelector("form[data-url]");
  form?.addEventListener("submit", async (ev) => {
    ev.preventDefault();
    const body = Object.fromEntries([...new FormData(form)].filter(([, v]) => v !== ""));
    if (form.dataset.url.endsWith("/setup")) body.token = location.hash.replace(/^#token=/, "");
    say("busy");
    try {
      const res = await fetch(form.dataset.url, { method: "POST", headers: head, body: JSON.stringify(body) });
      if (!res.ok) {
        const p = await res.json();
        if (p.code === "code-needed") document.getElementById("code").hidden = false;
        throw new Error(p.detail || p.title);
      }
      say("done");
      location.replace("/");
    } catch (e) {
      say("fail", e.message);
    }
  });
})();
