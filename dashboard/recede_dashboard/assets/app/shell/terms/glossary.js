/** The glossary: every word that is not plain English, with its formula and its source, and the
   labels of the pages that it explains; shell/terms/card.js finds them. */

const OURS = "Defined by Recede";
const RNI = "Suteu and Guo, Receding Neuron Importances for Structured Pruning, 2022, arXiv 2204.06404";
const SLIMMING = "Liu et al., Network Slimming, ICCV 2017";

/**
 * `labels` are whole labels, or patterns that a label matches; `from`: which entries of the
 * catalog stand below, where one of them is chosen.
 * @type {Object<string, {title: string, text: string, formula: string, source: string,
 *   labels: (string|RegExp)[], from?: "methods"|"criteria"}>}
 */
export const glossary = {
  // ---- importances and their distribution
  importance: {
    title: "Importance σ(w)", text: "How much a channel's output is scaled before anything else sees it. At 0 the channel contributes nothing; at 1 it passes unchanged.",
    formula: "importance = σ(w) = 1 / (1 + e^−w)   (bounded)\nimportance = |γ|   (ordinary batch norm)",
    source: `σ(w): ${RNI}. γ is the scale of batch normalisation (Ioffe and Szegedy, ICML 2015); as importance: ${SLIMMING}.`,
    labels: ["Importance", "importance", "σ(w)"],
  },
  logit: {
    title: "Logit scale", text: "Stretches the ends: 0.001 and 0.01 are as far apart as 0.99 and 0.999. So both humps are seen at their full width.",
    formula: "logit(s) = ln(s / (1 − s)) = w", source: `Berkson, Journal of the American Statistical Association 39:357, 1944. The inverse of σ: ${RNI}.`,
    labels: ["logit"],
  },
  receded: {
    title: "Receded", text: "A neuron has receded when training has brought its importance below 0.1: it hardly contributes any more.",
    formula: "receded share = |{c : importance(c) < 0.1}| / n", source: `${OURS}; the bound is the field below_01 of GET /runs/{id}/polarisation.`,
    labels: ["Receded", "receded", "< 0.1"],
  },
  shares: {
    title: "Weak and strong shares", text: "How many neurons lie below 0.01, and how many above 0.5: the two ends that training separates.",
    formula: "|{c : importance(c) < 0.01}| / n,   |{c : importance(c) > 0.5}| / n", source: `${OURS}; fields below_001 and above_05 of GET /runs/{id}/polarisation.`,
    labels: ["< 0.01", "> 0.5"],
  },
  median: {
    title: "Median importance", text: "Half of the layer's neurons are less important than this, half more.",
    formula: "median over the channels of the layer", source: "Ordinary order statistic; of an even number the mean of the two in the middle.", labels: [],
  },
  kept: {
    title: "Kept", text: "Share of a layer's neurons above the current threshold. Minima and locks are not counted here.",
    formula: "kept = 1 − |{c : importance(c) ≤ t}| / n", source: "Counted from histograms of each layer, in proportion within a bin: good to about one bin of the logit axis.", labels: [],
  },
  polarisation: {
    title: "Polarisation, bimodality", text: "How clearly the importances have parted into weak and strong. Above 5/9 two humps are likely; strong skewness alone raises it too.",
    formula: "b = (g² + 1) / (k + 3 (n − 1)² / ((n − 2)(n − 3)))", source: "Sarle's coefficient with skewness g and excess kurtosis k of the logit; SAS; Pfister et al., Frontiers in Psychology 4:700, 2013.",
    labels: ["bimodality"],
  },
  gap: {
    title: "Natural gap", text: "The valley between the hump of the weak and the hump of the strong neurons. A threshold there cuts where hardly any neuron is.",
    formula: "the deepest point under the lower of the highest humps on its two sides, at most half as high, with ≥ 5 % of the neurons on either side",
    source: `${OURS}: 240 bins on the logit axis, Gaussian smoothing of a fortieth of it.`, labels: ["natural gap", "Natural gap"],
  },
  // ---- the cut
  neurons: {
    title: "Neuron, channel", text: "One output of a convolution with all that belongs to it: its filter, its batch norm, and its share of every layer that reads it.",
    formula: "removing one takes kernel area · in channels weights from its layer, and as many from each that follows as it read", source: "Structured pruning: Li et al., Pruning Filters for Efficient ConvNets, ICLR 2017.",
    labels: ["Neurons"],
  },
  ratio: {
    title: "Ratio", text: "The share of the prunable neurons to remove, the least important first. Minima, locks and rounding can keep some of them.",
    formula: "removed = ⌊ratio · n⌋ of n neurons", source: `${OURS}, exact; one threshold for the whole network as in ${SLIMMING}.`, labels: ["Remove", "Ratio", "Neurons removed"],
  },
  threshold: {
    title: "Threshold", text: "Neurons with at most this importance are removed. It follows from the ratio, or the ratio from it.",
    formula: "remove c ⇔ importance(c) ≤ t", source: `${OURS}; ${SLIMMING}, cuts at such a threshold.`, labels: ["Threshold"],
  },
  scope: {
    title: "Scope: global or local", text: "Global ranks all neurons of the network together: weak layers lose more. Local removes the same share of every layer.",
    formula: "global: lowest ⌊r · Σ nₗ⌋ of all\nlocal: lowest ⌊r · nₗ⌋ of each layer l", source: "Blalock et al., What is the State of Neural Network Pruning?, MLSys 2020.", labels: ["Global", "Local", "Scope"],
  },
  criterion: {
    title: "Criterion", text: "What ranks the neurons: the importance that the training gave them, or a score that is computed from the weights of an epoch. Random is the control: the gain over it is what a criterion knows.",
    formula: "the lowest scores are removed first", source: "Compared in Blalock et al., What is the State of Neural Network Pruning?, MLSys 2020.", labels: ["Rank by", "Criterion", "control"], from: "criteria",
  },
  rounding: {
    title: "Rounded up to", text: "Every layer keeps a multiple of this many channels, which suits some hardware. It keeps more than requested, never less.",
    formula: "kept′ = min(n, m · ⌈kept / m⌉)", source: "As the divisor of channels in MobileNetV2: Sandler et al., CVPR 2018.", labels: ["Round up to"],
  },
  minimum: {
    title: "Minimum of channels", text: "This many channels of a layer are kept whatever the cut says: a layer without channels would break the network in two. Layers held there are marked “min”.",
    formula: "kept(l) ≥ min(nₗ, minimum)", source: `${OURS}.`, labels: ["At least"],
  },
  bias: {
    title: "Constant output: discard or absorb", text: "A removed channel of an ordinary batch norm still outputs the constant relu(β). Discard leaves it out; absorb adds it to the next layer: exact except at image borders.",
    formula: "absorb: bias(j) += Σ W(j, c) · relu(β(c)) over removed c, summed over the kernel; or running mean(j) −= the same", source: "Ye et al., Rethinking the Smaller-Norm-Less-Informative Assumption, ICLR 2018.", labels: ["Constant output", "Discard", "Absorb", "Bias", "Drop", "Fold"],
  },
  prunable: {
    title: "Prunable: inner or all", text: "Inner: only channels that can go alone, as in the paper. All: also those that shortcuts join across layers; they shrink together.",
    formula: "joined channels are one unit: removed in every layer of the group, or in none", source: `Inner: ${RNI}. Joined: Fang et al., DepGraph, CVPR 2023.`, labels: ["Prunable"],
  },
  // ---- what it costs and what it is worth
  macs: {
    title: "MACs", text: "Multiply-adds of convolutions and linear layers for one image. One multiply-add is one MAC; FLOPs are twice as many.",
    formula: "Σ kernel area · in channels · out channels · output pixels", source: "Counted as torch.utils.flop_counter does, which reports 2 × MACs.", labels: [/^MACs(,|$)/, "Multiply-adds"],
  },
  params: {
    title: "Parameters", text: "Numbers that the file holds: weights of convolutions and linear layers, scale and bias of each batch norm.",
    formula: "Σ kernel area · in · out + out (bias);   batch norm: 2 · channels", source: "Exact, counted from the shapes of the network that is cut.", labels: [/^Parameters(,|$)/, "Params"],
  },
  latency: {
    title: "Latency", text: "Milliseconds for a batch of images, measured by the worker on its device.",
    formula: "median of repeated forward passes", source: "Measured; it holds for that device and that number of images.", labels: ["Latency"],
  },
  exact: {
    title: "Exact", text: "Follows from the shapes of the network alone: counted, without error.",
    formula: "no interval: the same cut always has the same number", source: `${OURS}; the server and this page count the same.`, labels: ["exact"],
  },
  measured: {
    title: "Measured", text: "The network was cut and tested on all n images of the split. The interval shows how far chance may have moved it.",
    formula: "(p + z²/2n ± z √(p (1 − p)/n + z²/4n²)) / (1 + z²/n),  z = 1.96", source: "95 % score interval: Wilson, Journal of the American Statistical Association 22:209, 1927.", labels: [/^measured/, /^95.%.interval/],
  },
  estimated: {
    title: "Estimated", text: "Not measured itself: between two measured ratios, or from a part of the images. The band covers both neighbours' intervals.",
    formula: "acc(r) = acc(a) + (r − a) / (b − a) · (acc(b) − acc(a)),  a ≤ r ≤ b", source: `${OURS}: linear interpolation between measured cuts.`, labels: ["estimated", /^band /],
  },
  accuracy: {
    title: "Accuracy", text: "The share of the images whose class the network gives as its first answer.",
    formula: "correct / n", source: "Top-1 accuracy; shown with as many digits as n deserves.", labels: ["Accuracy", "Training accuracy"],
  },
  validation: {
    title: "Validation accuracy", text: "Measured on images that are kept back from training. Cuts are chosen by it, so it slightly flatters the choice: quote the test accuracy.",
    formula: "correct / n on the validation images", source: "Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 7.2, 2009.", labels: [/^Validation accuracy/, "Validation", "Validation share"],
  },
  test: {
    title: "Test accuracy", text: "Measured on images that nothing was trained or chosen by. This is the number to quote.",
    formula: "correct / n on the test images", source: "Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 7.2, 2009.", labels: [/^Test accuracy/],
  },
  lossless: {
    title: "Lossless, within the noise", text: "The largest ratio before the accuracy falls by more than one standard error of the uncut accuracy. With this many images, smaller differences cannot be distinguished from chance.",
    formula: "acc(r) ≥ acc(0) − √(p (1 − p) / (n + 4)),  p = (correct + 2) / (n + 4)", source: "One-standard-error rule: Breiman et al., Classification and Regression Trees, 1984. Standard error: Agresti and Coull, 1998.", labels: ["Lossless", "Lossless cut"],
  },
  prunability: {
    title: "Prunability map", text: "The accuracy after cutting each ratio at each epoch, without further training. Below the line, a cut costs no accuracy that these images could show.",
    formula: "cell (epoch, ratio) = validation accuracy of the cut network", source: "Measured on cut networks; cells with a small n are estimates from part of the images.", labels: ["Time for the map", "Time budget for accuracy maps", "Map"],
  },
  pareto: {
    title: "Pareto front", text: "The networks that no other one beats in both: nothing measured is cheaper and at least as accurate.",
    formula: "a is on the front ⇔ no b with cost(b) ≤ cost(a) and acc(b) ≥ acc(a), one of them strictly", source: "Pareto, Manuale di economia politica, 1906.", labels: ["Pareto", "Pareto front"],
  },
  proof: {
    title: "Cut = masked", text: "The cut network was compared with the whole one whose removed channels are set to 0, on the same images, and once more after loading the file again.",
    formula: "max |Δ| = max over images and classes of |score(cut) − score(masked)|", source: `${OURS}; differences near 1e−6 are rounding of 32-bit numbers.`, labels: [/^cut = masked/],
  },
  sha256: {
    title: "SHA-256", text: "A fingerprint of the file: two files with the same SHA-256 are identical, byte for byte.",
    formula: "64 hexadecimal digits; sha256sum FILE prints them", source: "FIPS 180-4, Secure Hash Standard, NIST 2015.", labels: ["SHA-256"],
  },
  // ---- training
  method: {
    title: "Method", text: "What makes neurons weak while the network is trained, so that they can be cut.",
    formula: "loss = cross-entropy + penalty of the method", source: "Each method names its own source; it stands in the form of a new run.", labels: ["Method", "method"], from: "methods",
  },
  lambda: {
    title: "Strength λ", text: "How hard the method pulls neurons towards 0. What counts is λ times the number of optimiser steps; too much costs accuracy.",
    formula: "loss = cross-entropy + λ · Σ penalty(c)", source: `${SLIMMING}; ${RNI}.`, labels: ["Strength λ", /(^|\.)lam$/, "λ", /^λ /],
  },
  shift: {
    title: "Shift b", text: "Which neurons count as weak: the pull is strongest where σ(w + b) is about 0.24.",
    formula: "penalty = s · (1 − ln s),  s = σ(w + b)", source: `${RNI}.`, labels: ["Shift b", /(^|\.)shift$/],
  },
  penalty: {
    title: "Penalty", text: "What the method adds to the loss: it falls as neurons recede.",
    formula: "λ · Σ penalty(c) over all neurons c", source: `${SLIMMING}; ${RNI}.`, labels: ["Penalty"],
  },
  loss: {
    title: "Loss", text: "What training makes small: how surprised the network is by the true classes.",
    formula: "−(1/N) Σ ln p(true class)", source: "Cross-entropy: Goodfellow, Bengio and Courville, Deep Learning, 6.2, 2016.", labels: ["Loss"],
  },
  epoch: {
    title: "Epoch", text: "One pass over all training images; every pass leaves one snapshot. Epoch 0 is the network before any training.",
    formula: "steps of an epoch = ⌈images / batch size⌉", source: `${OURS}: snapshots follow the step, so epoch 0 means untrained, or the weights that were given.`, labels: ["Epoch", "Epochs", "epoch", /^Epoch \d/],
  },
  batch: {
    title: "Batch size", text: "Images in one training step.",
    formula: "gradient = mean over the images of the batch", source: "Goodfellow, Bengio and Courville, Deep Learning, 8.1, 2016.", labels: ["Batch size", "Batch"],
  },
  rate: {
    title: "Learning rate", text: "How far one step moves the weights.",
    formula: "v ← μ v + ∇loss,  w ← w − lr · (∇loss + μ v)", source: "Nesterov momentum: Sutskever et al., ICML 2013.", labels: ["Learning rate"],
  },
  schedule: {
    title: "Schedule", text: "How the learning rate falls: in steps, or along half a cosine. Warm-up lets it rise first.",
    formula: "cosine: lr(t) = lr/2 · (1 + cos(π t / T))", source: "Cosine: Loshchilov and Hutter, SGDR, ICLR 2017. Warm-up: Goyal et al., 2017, arXiv 1706.02677.", labels: ["Schedule", "Warm-up epochs"],
  },
  smoothing: {
    title: "Label smoothing", text: "The target for the true class is slightly below 1; the other classes share the rest.",
    formula: "target = (1 − ε) · [true class] + ε / classes", source: "Szegedy et al., Rethinking the Inception Architecture, CVPR 2016.", labels: ["Label smoothing"],
  },
  precision: {
    title: "Precision", text: "Digits of the arithmetic: fp32 has about 7 decimal digits, bf16 about 2 to 3 and is faster where the device has it.",
    formula: "fp32: 8 bits exponent, 23 mantissa\nbf16: 8 bits exponent, 7 mantissa", source: "IEEE 754; Kalamkar et al., A Study of BFLOAT16 for Deep Learning Training, 2019.", labels: ["Precision"],
  },
  width: {
    title: "Width", text: "The number of channels of every layer relative to the published network.",
    formula: "channels = round(width · published channels)", source: "Width multiplier: Howard et al., MobileNets, 2017, arXiv 1704.04861.", labels: ["Width", /(^|\.)width$/],
  },
  seed: {
    title: "Seed", text: "Where the random numbers of a run start: initial weights, order of the images. Several seeds show what is chance.",
    formula: "mean ± s,  s² = Σ (x − mean)² / (k − 1) over k seeds", source: "Bouthillier et al., Accounting for Variance in Machine Learning Benchmarks, MLSys 2021.", labels: ["Seed", "Seeds", "seed"],
  },
};

/** The term that explains a label, or undefined. @param {string} text */
export function findTerm(text) {
  const fits = (label) => (typeof label === "string" ? label === text : label.test(text));
  return Object.keys(glossary).find((name) => glossary[name].labels.some(fits));
}
