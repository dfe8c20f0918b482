// What the page cannot do, as a sentence for the visitor.

export class Refusal extends Error {}
