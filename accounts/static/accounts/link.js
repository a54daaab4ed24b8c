// Hands the token of the page's address, and what the form asks for, to the API, and shows what it says.
"use strict";

const form = document.querySelector("form");
const status = document.querySelector("[role=status]");
const token = new URLSearchParams(location.search).get("token") ?? "";
// Out of the address bar, the history and whatever is sent along from here.
history.replaceState(null, "", location.pathname);

function said(answer) {
  if (answer.success) return form.dataset.done;
  const details = Object.values(answer.error.details).flat().filter((text) => typeof text === "string");
  return details.join(" ") || answer.error.message;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const response = await fetch(form.dataset.call, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token, ...Object.fromEntries(new FormData(form)) }),
    });
    status.textContent = response.status === 204 ? form.dataset.done : said(await response.json());
    form.hidden = response.ok;
    button.disabled = response.ok;
  } catch {
    status.textContent = form.dataset.unreached;
    button.disabled = false;
  }
});
