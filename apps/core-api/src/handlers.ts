import type { Coordinator } from '@linkspan/coordinator';
import type { Ledger } from '@linkspan/ledger';
import {
  accept,
  type BalancesBody,
  ENDPOINTS,
  type EndpointName,
  type HealthBody,
  type HistoryBody,
  type Lodged,
  parse,
  problem,
  refuse,
  type Result,
  type SettlementBody,
  type SettlementPageBody,
  type SharesAnswer,
} from '@linkspan/protocol';
import { readBalances, type SystemReader } from './balances.ts';
import { entryBody, settlementBody, summaryBody } from './bodies.ts';
import { accountsIn, type Directory } from './directory.ts';
import { findSettlement } from './find-settlement.ts';
import type { Lodging } from './lodge-instruction.ts';
