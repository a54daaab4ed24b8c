// The round room: looks again at the part that changes, and gives Enter a sense where results are typed.
(function () {
  "use strict";

  // Asks by ETag every few seconds, not while nobody looks. Where the answer fails, the next one is tried.
  function watch(part) {
    var heard = document.querySelector("[data-heard]");
    var seen = part.dataset.seen;
    function phase() { return part.firstElementChild && part.firstElementChild.dataset.phase; }
    function show(html) {
      var focused = part.contains(document.activeElement) ? document.activeElement.id : "";
      var before = phase();
      part.innerHTML = html;
      if (before !== phase()) {
        window.location.reload();
        return;
      }
      var again = focused && document.getElementById(focused);
      if (again) again.focus();
      if (heard) heard.textContent = part.firstElementChild.dataset.say;
    }
    function look() {
      if (document.hidden) return;
      fetch(part.dataset.live, {
        headers: {"If-None-Match": seen}, cache: "no-store", credentials: "same-origin", redirect: "error"
      }).then(function (answer) {
        if (answer.status !== 200) return null;
        seen = answer.headers.get("ETag") || "";
        return answer.text().then(show);
      }).catch(function () {});
    }
    window.setInterval(look, Number(part.dataset.seconds) * 1000);
    document.addEventListener("visibilitychange", look);
  }

  function typing(form) {
    var fields = Array.prototype.slice.call(form.querySelectorAll("input[inputmode=numeric]"));
    if (fields.length) fields[0].focus();
    form.addEventListener("keydown", function (event) {
      var place = fields.indexOf(event.target);
      if (event.key !== "Enter" || place < 0) return;
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) form.requestSubmit();
      else if (place + 1 < fields.length) fields[place + 1].focus();
      else form.querySelector("button[type=submit]").focus();
    });
  }

  document.addEventListener("DOMContentLoaded", function () {
    var part = document.querySelector("[data-live]");
    if (part) watch(part);
    var form = document.querySelector("[data-results]");
    if (form) typing(form);
  });
})();
