const main = document.querySelector("main");
let shown = "";
setInterval(async () => {
  try {
    const answer = await fetch("/fragment");
    const text = await answer.text();
    if (answer.ok && text !== shown) main.innerHTML = shown = text;
    document.body.classList.toggle("stale", !answer.ok);
  } catch { document.body.classList.add("stale"); }
}, 2000);
