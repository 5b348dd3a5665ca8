/** Questions in one message to the peer. */
const BATCH_QUESTIONS = 64;
/** A question that reads much must not hold up all others. */
const MESSAGES_UNDER_WAY = 2;

type Waiting<Q, A> = {
  readonly question: Q;
  readonly resolve: (answer: A) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Asks questions of a peer: at once when hardly any is under way, otherwise everything that came meanwhile in one message, since a message costs peer and chaincode
 * far more than a question. A question is never asked before it came, so its answer shows everything that its asker knew to be final.
 */
export class QueryBatcher<Q, A> {
  readonly #ask: (questions: readonly Q[]) => Promise<readonly A[]>;
  readonly #queue: Waiting<Q, A>[] = [];
  #underWay = 0;

  /** `ask` gives the answers in the order of the questions. */
  constructor(ask: (questions: readonly Q[]) => Promise<readonly A[]>) {
    this.#ask = ask;
  }

  ask(question: Q): Promise<A> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ question, resolve, reject });
      if (this.#underWay < MESSAGES_UNDER_WAY) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#underWay += 1;
    // Those who ask in the same turn share a message.
    await new Promise(setImmediate);
    while (this.#queue.length > 0) await this.#askSome(this.#queue.splice(0, BATCH_QUESTIONS));
    this.#underWay -= 1;
  }

  async #askSome(some: readonly Waiting<Q, A>[]): Promise<void> {
    try {
      const answers = await this.#ask(some.map(({ question }) => question));
      if (answers.length !== some.length) throw new RangeError(`${answers.length} answers to ${some.length} questions`);
      answers.forEach((answer, i) => some[i]?.resolve(answer));
    } catch (error) {
      for (const { reject } of some) reject(error);
    }
  }
}
