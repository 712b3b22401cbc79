import type { BuiltinDetector } from './detector.ts';
import { alnum, base64, format, url64 } from './format.ts';

/** Microsoft puts a mark of the service at a fixed place in the keys of each: "identifiable keys". */
const IDENTIFIABLE = 'https://github.com/microsoft/security-utilities/blob/main/docs/IdentifiableSecrets.md';

export const azure: readonly BuiltinDetector[] = [
  format({
    name: 'azure-client-secret',
    description: 'Client secret of a Microsoft Entra application',
    source: 'https://learn.microsoft.com/en-us/purview/sit-defn-azure-ad-client-secret',
    parts: [alnum(3), ['7', '8'], 'Q~', url64(31, 34)],
  }),
  format({
    name: 'azure-devops-token',
    description: 'Azure DevOps personal access token',
    source:
      'https://learn.microsoft.com/en-us/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate',
    parts: [alnum(76), 'AZDO', alnum(4)],
  }),
  format({
    name: 'azure-storage-key',
    description: 'Account key of Azure Storage or Azure Batch',
    source: IDENTIFIABLE,
    parts: [base64(76), ['+ASt', '+ABa'], base64(6), '=='],
  }),
  format({
    name: 'azure-cosmos-key',
    description: 'Account key of Azure Cosmos DB',
    source: IDENTIFIABLE,
    parts: [base64(76), 'ACDb', base64(6), '=='],
  }),
  format({
    name: 'azure-messaging-key',
    description: 'Shared access key of Azure Service Bus, Event Hubs, IoT Hub or Relay',
    source: IDENTIFIABLE,
    parts: [base64(33), ['+ASb', '+AEh', 'AIoT', '+ARm'], base64(6), '='],
  }),
  format({
    name: 'azure-functions-key',
    description: 'Azure Functions host or function key',
    source: IDENTIFIABLE,
    parts: [url64(44), 'AzFu', url64(6), '=='],
  }),
  format({
    name: 'azure-search-key',
    description: 'Azure AI Search admin or query key',
    source: IDENTIFIABLE,
    parts: [alnum(42), 'AzSe', alnum(6)],
  }),
  format({
    name: 'azure-redis-key',
    description: 'Azure Cache for Redis access key',
    source: IDENTIFIABLE,
    parts: [alnum(33), 'AzCa', alnum(6), '='],
  }),
  format({
    name: 'azure-container-registry-key',
    description: 'Azure Container Registry password',
    source: IDENTIFIABLE,
    parts: [base64(42), '+ACR', base64(6)],
  }),
];
