// Keys for the workbench of requests. What they do, the page's own boxes, buttons and links do without a script too.
(function () {
  "use strict";

  function isTyping(target) {
    return target.matches("textarea, select, input:not([type=checkbox])") || target.isContentEditable;
  }

  function bench(form) {
    var rows = Array.prototype.slice.call(form.querySelectorAll("[data-row]"));
    var told = form.querySelector("[data-chosen]");
    var current = -1;

    function boxOf(row) { return row.querySelector("input[name=request]"); }
    function chosen() { return rows.filter(function (row) { return boxOf(row).checked; }); }
    function tell() {
      var count = chosen().length;
      told.textContent = count ? "(" + count + ")" : "";
    }
    function go(step) {
      current = Math.min(Math.max(current + step, 0), rows.length - 1);
      boxOf(rows[current]).focus();
      rows[current].scrollIntoView({block: "nearest"});
    }
    function decide(way) {
      var all = form.querySelector("input[name=all]");
      var isMany = chosen().length || (all && all.checked);
      var button = isMany
        ? form.querySelector("[data-way=" + way + "]")
        : current >= 0 && rows[current].querySelector("[data-only=" + way + "]");
      if (button) button.click();
    }
    var keys = {
      j: function () { go(1); },
      k: function () { go(-1); },
      x: function () { if (current >= 0) boxOf(rows[current]).click(); },
      a: function () { decide("approve"); },
      r: function () { decide("reject"); },
      w: function () { decide("wait"); },
      t: function () { decide("take_back"); },
      o: function () { if (current >= 0) rows[current].querySelector("[data-open]").click(); },
      n: function () { var next = document.querySelector("[data-next]"); if (next) next.click(); }
    };
    form.addEventListener("focusin", function (event) {
      var row = event.target.closest("[data-row]");
      if (row) current = rows.indexOf(row);
    });
    form.addEventListener("change", tell);
    tell();
    return keys;
  }

  function confirmation(form) {
    var choice = form.querySelector("[data-template]");
    if (choice) {
      choice.addEventListener("change", function () {
        var text = choice.selectedOptions[0].dataset.text;
        if (text) form.querySelector("[name=reason]").value = text;
      });
    }
    document.addEventListener("keydown", function (event) {
      if (event.key === "Escape") window.location.assign(form.dataset.back);
    });
  }

  document.addEventListener("DOMContentLoaded", function () {
    var asked = document.querySelector("[data-confirm]");
    if (asked) confirmation(asked);
    var help = document.querySelector("[data-keys]");
    if (!help) return;
    var form = document.querySelector("[data-workbench]");
    var keys = form ? bench(form) : {};
    keys["?"] = function () {
      help.open = !help.open;
      if (help.open) help.querySelector("summary").focus();
    };
    document.addEventListener("keydown", function (event) {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (keys[event.key]) {
        event.preventDefault();
        keys[event.key]();
      }
    });
  });
})();
