import type { BuiltinDetector } from './detector.ts';
import { alnum, base64, format, url64, type Run } from './format.ts';

/** Microsoft puts a mark of the service at a fixed place in the keys of each: "identifiable keys". */
const IDENTIFIABLE =
  'https://github.com/microsoft/security-utilities/blob/main/GeneratedRegexPatterns/HighConfidenceMicrosoftSecurityModels.json';

const ofClientSecret = (least: number, most = least): Run => ({
  ...url64(least, most),
  charset: '[A-Za-z0-9_~.-]',
});

export const azure: readonly BuiltinDetector[] = [
  format({
    name: 'azure-client-secret',
    description: 'Client secret of a Microsoft Entra application',
    source: IDENTIFIABLE,
    parts: [ofClientSecret(3), ['7', '8'], 'Q~', ofClientSecret(31, 34)],
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
    description:
      'Account key of Azure Storage, Azure Batch or a classic web service of Azure Machine Learning',
    source: IDENTIFIABLE,
    parts: [base64(76), ['+ASt', '+ABa', '/AM7'], base64(6), '=='],
  }),
  format({
    name: 'azure-cosmos-key',
    description: 'Account key of Azure Cosmos DB',
    source: IDENTIFIABLE,
    parts: [base64(76), 'ACDb', base64(6), '=='],
  }),
  format({
    name: 'azure-api-management-key',
    description: 'Direct management, subscription, gateway or repository key of Azure API Management',
    source: IDENTIFIABLE,
    parts: [base64(76), 'APIM', base64(6), '=='],
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
    parts: [base64(42), 'AzSe', base64(6)],
  }),
  format({
    name: 'azure-redis-key',
    description: 'Azure Cache for Redis access key',
    source: IDENTIFIABLE,
    parts: [base64(33), 'AzCa', base64(6), '='],
  }),
  format({
    name: 'azure-container-registry-key',
    description: 'Azure Container Registry password',
    source: IDENTIFIABLE,
    parts: [base64(42), '+ACR', base64(6)],
  }),
];
