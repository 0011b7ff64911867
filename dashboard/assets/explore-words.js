/** The glossary: every term that is not plain English, with its formula and its source. */
(function () {
  "use strict";
  const explore = ((window.recede = window.recede || {}).explore = window.recede.explore || {});

  const BOUNDED = "Bounded batch norm: Zhang, Cheng and Xu, Removing Neurons via Importance (RNI).";
  const GLOSSARY = {
    importance: {
      title: "Importance σ(w)", text: "How much a channel's output is scaled before anything else sees it. At 0 the channel contributes nothing; at 1 it passes unchanged.",
      formula: "importance = σ(w) = 1 / (1 + e^−w)   (bounded)\nimportance = |γ|   (ordinary batch norm)", source: "γ is the scale of batch normalisation: Ioffe and Szegedy, ICML 2015. As importance: Liu et al., Network Slimming, ICCV 2017.",
    },
    receded: {
      title: "Receded", text: "A neuron has receded when training has brought its importance under 0.1: it hardly contributes any more.",
      formula: "receded share = |{c : importance(c) < 0.1}| / n", source: "A definition of this program; the bound is the field below_01 of GET /runs/{id}/polarisation.",
    },
    median: { title: "Median importance", text: "Half of the layer's neurons are less important than this, half are more.", formula: "median over the channels of the layer", source: "Ordinary order statistic; of an even number the mean of the two in the middle." },
    kept: { title: "Kept", text: "Share of a layer's neurons above the threshold that is chosen now. Minima and locks are not counted here.", formula: "kept = 1 − |{c : importance(c) ≤ t}| / n", source: "Counted from histograms of each layer, in proportion within a bin: good to about one bin of the logit axis." },
    polarisation: {
      title: "Polarisation, bimodality", text: "How clearly the importances have parted into weak and strong. Over 5/9 two humps are likely; strong skewness alone raises it too.",
      formula: "b = (g² + 1) / (k + 3 (n − 1)² / ((n − 2)(n − 3)))", source: "Sarle's coefficient with skewness g and excess kurtosis k of the logit; SAS; Pfister et al., Frontiers in Psychology 4:700, 2013.",
    },
    gap: {
      title: "Natural gap", text: "The valley between the hump of the weak and the hump of the strong neurons. A threshold there cuts where hardly any neuron is.",
      formula: "the deepest point under the lower of the highest humps on its two sides, at most half as high, with ≥ 5 % of the neurons on either side", source: "A definition of this program: 240 bins on the logit axis, Gaussian smoothing of a fortieth of it.",
    },
    lossless: {
      title: "Lossless, within the noise", text: "The largest ratio before the accuracy falls by more than one standard error of the uncut accuracy. Smaller differences cannot be told from chance with so many images.",
      formula: "acc(r) ≥ acc(0) − √(p (1 − p) / (n + 4)),  p = (correct + 2) / (n + 4)", source: "One-standard-error rule: Breiman et al., Classification and Regression Trees, 1984. Standard error: Agresti and Coull, 1998.",
    },
    prunability: {
      title: "Prunability map", text: "The accuracy after cutting each ratio at each epoch, without training on. Under the line a cut costs nothing that these images could show.",
      formula: "cell (epoch, ratio) = validation accuracy of the cut network", source: "Measured on cut networks; cells with a small n are estimates from part of the images.",
    },
    pareto: { title: "Pareto front", text: "The networks that no other one beats in both: nothing measured is cheaper and at least as accurate.", formula: "a is on the front ⇔ no b with cost(b) ≤ cost(a) and acc(b) ≥ acc(a), one of them strictly", source: "Pareto, Manuale di economia politica, 1906." },
    macs: { title: "MACs", text: "Multiply-adds of convolutions and linear layers for one image. One multiply-add is one MAC; FLOPs are twice as many.", formula: "Σ kernel area · in channels · out channels · output pixels", source: "Counted as torch.utils.flop_counter does, which reports 2 × MACs." },
    logit: { title: "Logit scale", text: "Stretches the ends: 0.001 and 0.01 are as far apart as 0.99 and 0.999. So both humps are seen at their full width.", formula: "logit(s) = ln(s / (1 − s)) = w", source: BOUNDED },
  };

  let card = null;
  let shownFor = null;

  /** One card for all terms, made when it is first needed. */
  function theCard() {
    if (!card || !card.isConnected) {
      card = explore.dom.h("div", { id: "rx-term-card", "data-testid": "term-card", class: "rx-term-card", role: "tooltip", hidden: true });
      document.body.append(card);
    }
    return card;
  }

  function show(node, name) {
    const { h } = explore.dom;
    const { title, text, formula, source } = GLOSSARY[name];
    const place = theCard();
    place.replaceChildren(h("b", { text: title }), h("span", { text }), h("code", { text: formula }), h("small", { text: source }));
    place.hidden = false;
    shownFor = node;
    const box = node.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = place;
    const above = box.top - height - 8;
    Object.assign(place.style, {
      left: `${Math.max(8, Math.min(innerWidth - width - 8, box.left + box.width / 2 - width / 2))}px`,
      top: `${above >= 8 ? above : Math.min(box.bottom + 8, innerHeight - height - 8)}px`,
    });
    node.setAttribute("aria-describedby", place.id);
  }

  function hide(node) {
    if (shownFor !== node) return;
    theCard().hidden = true;
    shownFor = null;
    node.removeAttribute("aria-describedby");
  }

  /** The term (or what `given()` names then) is explained while the node is pointed at or has the focus; Escape takes it away. */
  function attach(node, given) {
    const name = () => (typeof given === "function" ? given() : given);
    if (!GLOSSARY[name()]) throw new Error(`No such term: ${name()}`);
    node.dataset.term = name();
    node.removeAttribute("title"); // one explanation, not two
    let soon = 0;
    node.addEventListener("pointerenter", () => {
      soon = setTimeout(() => show(node, name()), 280);
    });
    node.addEventListener("pointerleave", () => {
      clearTimeout(soon);
      hide(node);
    });
    node.addEventListener("focus", () => node.matches(":focus-visible") && show(node, name()));
    node.addEventListener("blur", () => hide(node));
    node.addEventListener("pointerdown", () => hide(node));
    node.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && shownFor === node) {
        event.stopPropagation();
        hide(node);
      }
    });
    return node;
  }

  /** A word that explains itself; it can be reached with Tab. */
  const term = (name, label) => attach(explore.dom.h("button", {
    type: "button", class: label === "?" ? "rx-term-sign" : "rx-term", "aria-label": label === "?" ? "What is this?" : null,
    text: label || GLOSSARY[name].title,
  }), name);

  explore.words = { GLOSSARY, attach, term };
})();
