// While an export is at work the page asks how far it is, and is shown anew once it has ended. Without scripts the page
// says so when it is loaded.
(function () {
  "use strict";
  function watch(place) {
    var bar = place.querySelector("[data-bar]");
    var words = place.querySelector("[data-words]");
    var wait = 1000;
    function ask() {
      fetch(place.dataset.exportProgress, {headers: {Accept: "application/json"}, credentials: "same-origin"})
        .then(function (answer) {
          if (!answer.ok) throw new Error(answer.status);
          return answer.json();
        })
        .then(function (found) {
          if (!found.is_at_work) {
            window.location.reload();
            return;
          }
          words.textContent = found.words;
          if (bar) bar.value = found.percent || 0;
          window.setTimeout(ask, wait);
        })
        .catch(function () {
          // The server may be on its way back: less and less often.
          wait = Math.min(wait * 2, 30000);
          window.setTimeout(ask, wait);
        });
    }
    window.setTimeout(ask, wait);
  }
  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-export-progress]").forEach(watch);
  });
})();
