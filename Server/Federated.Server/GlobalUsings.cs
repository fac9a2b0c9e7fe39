global using Orleans.Concurrency;
global using ErrorCode = Federated.Shared.Protocol.ErrorCode;
