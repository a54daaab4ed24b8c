// A period that is chosen shows its days in the fields below; days that are typed in are no period any more.
(function () {
  "use strict";
  document.addEventListener("DOMContentLoaded", function () {
    var periods = document.querySelector("[data-periods]");
    if (!periods) return;
    var first = document.querySelector("input[name=first_day]");
    var last = document.querySelector("input[name=last_day]");
    function fill() {
      var chosen = periods.options[periods.selectedIndex];
      if (!chosen.dataset.last) return;
      if (first) first.value = chosen.dataset.first;
      if (last) last.value = chosen.dataset.last;
    }
    periods.addEventListener("change", fill);
    [first, last].forEach(function (day) {
      if (day) day.addEventListener("input", function () { periods.value = ""; });
    });
    fill();
    // What was looked at stands below the form.
    var preview = document.getElementById("preview");
    if (preview) preview.scrollIntoView({block: "nearest"});
  });
})();
