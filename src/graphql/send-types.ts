import { Field, InputType, ObjectType } from 'type-graphql';
import { businessDescription } from './business-arg.ts';
import { Message } from './message-types.ts';
import { Delay, ID } from './scalars.ts';

@InputType({
  description: 'A text and whom it is for. At least one of `client` and `clientPhone` is required.',
})
export class SendTextMessageInput {
  @Field(() => ID, { nullable: true, description: businessDescription })
  business?: string | null;

  @Field(() => ID, { nullable: true, description: "Pingup's id of the client." })
  client?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      "The client's phone number with the country prefix, 7 to 15 digits. Separators and a leading `+` or `00` are " +
      'taken away: `+39 312 123 4567` is sent as `393121234567`.',
  })
  clientPhone?: string | null;

  @Field(() => String, { nullable: true, description: "The client's name, 1 to 256 characters." })
  clientName?: string | null;

  @Field(() => String, { description: 'The text, 1 to 4096 characters.' })
  textMessage!: string;

  @Field(() => Delay, { nullable: true, description: 'How long Pingup is to wait before it sends.' })
  delay?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Makes a repeat safe: 1 to 255 visible ASCII characters of your own, such as a UUID. The same key with the same ' +
      'arguments gives the first result again, and nothing leaves; with other arguments it is IDEMPOTENCY_KEY_REUSED.',
  })
  idempotencyKey?: string | null;
}

@ObjectType({ description: 'What came of `sendTextMessage`.', simpleResolvers: true })
export class SendTextMessagePayload {
  @Field(() => Message, {
    description: 'The message that Pingup accepted. Watch its id with `messageStatus`.',
  })
  message!: Message;

  @Field(() => Boolean, {
    description: 'Whether an earlier send with the same `idempotencyKey` sent it, and this one sent nothing.',
  })
  replayed!: boolean;
}
