/** Words over the view: what of the address was ignored, a lost server, and what to expect. */
(function () {
  "use strict";
  const explore = ((window.recede = window.recede || {}).explore = window.recede.explore || {});

  class Messages {
    constructor(app) {
      this.app = app;
      this.message = app.els.message;
      this.empty = app.els.empty;
      this.observer = new ResizeObserver(() => this.size());
      for (const node of [document.body, app.els.frame]) this.observer.observe(node);
    }

    destroy() {
      this.observer.disconnect();
    }

    /**
     * The view fills the window below where it begins, so that the whole loop is in sight. Only
     * called when something has changed its size: asking in each frame would lay the page out anew.
     */
    size() {
      const { frame } = this.app.els;
      const top = Math.round(frame.getBoundingClientRect().top + window.scrollY);
      if (top !== this.top && frame.offsetParent !== null) {
        this.top = top;
        frame.style.setProperty("--rx-top", `${top}px`);
      }
    }

    render() {
      const { source, now, els, refused } = this.app;
      const [title, words] = this.nothingYet();
      explore.dom.mark(els.frame, {
        "data-state": title ? "empty" : now.selection || source.broken.size ? "ready" : "loading",
        "data-offline": source.offline,
      });
      this.empty.hidden = !title;
      this.fill(this.empty, title ? [["h3", title], ["p", words]] : []);
      const notes = [];
      if (refused.length) notes.push(`Ignored in the address: ${refused.join("; ")}.`);
      if (source.offline && !title && !document.getElementById("offline-banner")) notes.push("The server does not answer. What is loaded goes on; it is tried again by itself.");
      if (source.error && !source.offline && !title) notes.push([source.error.message, source.error.hint].filter(Boolean).join(" "));
      this.message.hidden = !notes.length;
      this.fill(this.message, notes.map((note) => ["span", note]));
      if (notes.length && refused.length && !this.message.querySelector("button")) {
        this.message.append(explore.dom.h("button", {
          type: "button", class: "rx-link", text: "Dismiss", onclick: () => {
            refused.length = 0;
            this.app.address();
            this.app.dirty();
          },
        }));
      }
    }

    /** Title and words while there is nothing to explore, else empty. */
    nothingYet() {
      const { source } = this.app;
      if (!source.loaded || (source.shape && source.epochs.length)) return ["", ""];
      if (source.offline) return ["The server does not answer", "It is tried again by itself."];
      if (source.error) return ["Not loaded", [source.error.message, source.error.hint].filter(Boolean).join(" ")];
      const state = source.run?.state;
      if (state === "failed" || state === "cancelled") {
        return [`The run was ${state} before its first epoch`, "There are no importances to explore."];
      }
      const place = source.run?.queue_position;
      if (state === "queued") {
        const where = Number.isInteger(place) ? (place === 0 ? " It is next." : place === 1 ? " One run is before it." : ` ${place} runs are before it.`) : "";
        return ["Waiting in the queue", `When the training starts, the untrained importances appear here as epoch 0; then every epoch adds to the picture.${where}`];
      }
      return ["The training is starting", "The untrained importances appear here first, as epoch 0."];
    }

    fill(node, parts) {
      const key = JSON.stringify(parts);
      if (node.dataset.key === key) return;
      node.dataset.key = key;
      node.replaceChildren(...parts.map(([tag, text]) => explore.dom.h(tag, { text })));
    }
  }

  /** Axis, count scale and download menu above the distribution; returns how to stop. */
  function mountTools(app) {
    const { segmented } = explore.dom;
    const axis = segmented({
      id: "axis-toggle", label: "Axis of the importance",
      options: [["logit", "logit", "Both humps at their full width"], ["sigma", "linear", "The importance itself"]],
      pick: (value) => app.set({ axis: value }),
    });
    const y = segmented({
      id: "count-toggle", label: "Scale of the counts",
      options: [
        ["sqrt", "√n", "Square root: small humps stay visible beside high bins"],
        ["linear", "n", "Linear"], ["log", "log", "Logarithm of 1 + n"],
      ],
      pick: (value) => app.set({ y: value }),
    });
    const figure = new explore.DistributionFigure(app);
    const menu = explore.exporting.menu(app, () => figure, "distribution");
    app.els.find("#axis-slot").append(y.node, axis.node, menu.node);
    app.panels.push({
      render() {
        axis.show(app.state.axis);
        y.show(app.state.y);
        const plain = app.source.shape?.scale === "plain";
        explore.dom.say(axis.buttons[0], plain ? "log" : "logit");
      },
    });
    return menu.stop;
  }

  Object.assign(explore, { Messages, mountTools });
})();
